"""Facts and sums into their tables: only what differs is written."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Model

from metrics.models import (
    AsideFact,
    CohortFact,
    ExecutionFact,
    IncidentFact,
    IntentFact,
    Rollup,
    ServiceState,
    SpanFact,
    TargetFact,
    TraceFact,
)
from promotion.models import Service, Team

from .counting import Slot, sum_facts
from .inserting import insert_rows, reserve_keys
from .packing import Table, add_tables, bin_table, pack, unpack
from .service_facts import NO_SERVICE, ServiceFacts, made_by

KINDS: tuple[type[Model], ...] = (
    ExecutionFact,
    IntentFact,
    SpanFact,
    TraceFact,
    CohortFact,
    IncidentFact,
    TargetFact,
    AsideFact,
)
BATCH = 1000
SumKey = tuple[str, int]  # scope and its key


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is stored otherwise than the record says; `what` in words."""

    whose: str
    what: str


def columns_of(model: type[Model]) -> tuple[str, ...]:
    """The columns of a kind of fact, without its key."""
    return tuple(each.attname for each in model._meta.concrete_fields if not each.primary_key)


def _values(fact: Any, columns: Iterable[str]) -> tuple[Any, ...]:
    return tuple(_plain(getattr(fact, name)) for name in columns)


def _plain(value: Any) -> Any:
    return repr(value) if isinstance(value, (list, dict)) else value


def compare_facts(facts: ServiceFacts, model: type[Model]) -> tuple[list[int], list[Any]]:
    """The keys of the stored facts of a kind that are wrong, and the facts that are not stored."""
    columns = columns_of(model)
    stored: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    rows = model._default_manager.filter(service=facts.service_key or None)
    for key, *values in rows.values_list("pk", *columns).iterator():
        stored[tuple(map(_plain, values))].append(key)
    missing = []
    for fact in facts.of(model):
        keys = stored.get(_values(fact, columns))
        if keys:
            keys.pop()
        else:
            missing.append(fact)
    return [key for keys in stored.values() for key in keys], missing


def write_facts(facts: ServiceFacts) -> int:
    """Makes the stored facts of the service these; returns how many rows it wrote or removed."""
    changed = 0
    for model in KINDS:
        wrong, missing = compare_facts(facts, model)
        for start in range(0, len(wrong), BATCH):
            model._default_manager.filter(pk__in=wrong[start : start + BATCH]).delete()
        insert_facts(model, missing)
        changed += len(wrong) + len(missing)
    return changed


def insert_facts(model: type[Model], facts: list[Any]) -> None:
    """Few by the usual way, many as rows."""
    if len(facts) < BATCH:
        model._default_manager.bulk_create(facts)
        return
    columns = columns_of(model)
    keys = reserve_keys(model, len(facts))
    insert_rows(
        model,
        [
            {"id": key, **{name: getattr(fact, name) for name in columns}}
            for key, fact in zip(keys, facts, strict=True)
        ],
    )


def write_sums(
    facts: ServiceFacts, line: list[int], before: list[int], *, with_others: bool = True
) -> None:
    """The service's sums, and what changed by them in those of its teams and of all.

    `line`: its team and those above; `before` those to which it was added the last time.
    """
    new = sum_facts(facts)
    old = read_sums(Rollup.Scope.SERVICE, facts.service_key)
    packed = {slot: pack(table) for slot, table in new.items()}
    same = {slot for slot, data in packed.items() if slot in old and old[slot] == data}
    changed = {slot: new[slot] for slot in new if slot not in same}
    gone = {slot: unpack(data) for slot, data in old.items() if slot not in same}
    _replace(Rollup.Scope.SERVICE, facts.service_key, changed, gone.keys())
    if not with_others:
        return
    both = [(Rollup.Scope.TEAM, key) for key in sorted({*line} & {*before})]
    for scope, key in [*both, (Rollup.Scope.ALL, 0)]:
        apply_sums(scope, key, changed, gone)
    for key in sorted({*line} - {*before}):
        apply_sums(Rollup.Scope.TEAM, key, new, {})
    for key in sorted({*before} - {*line}):
        everything = {slot: unpack(data) for slot, data in old.items()}
        apply_sums(Rollup.Scope.TEAM, key, {}, everything)


def read_sums(scope: str, key: int) -> dict[Slot, bytes]:
    """The packed sums of one scope."""
    rows = Rollup.objects.filter(scope=scope, scope_key=key)
    return {
        Slot(measure, environment, kind, year): bytes(data)
        for measure, environment, kind, year, data in rows.values_list(
            "measure", "environment", "kind", "year", "data"
        )
    }


def _replace(scope: str, key: int, changed: Mapping[Slot, Table], gone: Iterable[Slot]) -> None:
    """Writes the sums changed, and removes those gone."""
    for slot in {*gone, *changed}:
        _rows(scope, key, slot).delete()
    Rollup.objects.bulk_create(
        [make_rollup(scope, key, slot, table) for slot, table in changed.items()],
        batch_size=BATCH,
    )


def _rows(scope: str, key: int, slot: Slot) -> Any:
    return Rollup.objects.filter(
        scope=scope,
        scope_key=key,
        measure=slot.measure,
        environment=slot.environment,
        kind=slot.kind,
        year=slot.year,
    )


def make_rollup(scope: str, key: int, slot: Slot, table: Table) -> Rollup:
    """A sum as its row, not saved."""
    return Rollup(
        scope=scope,
        scope_key=key,
        measure=slot.measure,
        environment=slot.environment,
        kind=slot.kind,
        year=slot.year,
        first_day=date.fromordinal(int(table.days[0])),
        last_day=date.fromordinal(int(table.days[-1])),
        data=pack(table),
    )


def apply_sums(
    scope: str, key: int, plus: Mapping[Slot, Table], minus: Mapping[Slot, Table]
) -> None:
    """Adds to and takes from the sums of a team or of all; one slot after the other, in order."""
    for slot in sorted({*plus, *minus}):
        row = _rows(scope, key, slot).select_for_update().first()
        terms = [(unpack(row.data), 1)] if row else []
        terms += [(minus[slot], -1)] if slot in minus else []
        terms += [(plus[slot], 1)] if slot in plus else []
        table = add_tables(terms)
        if not table.is_empty:
            made = make_rollup(scope, key, slot, table)
            made.pk = row.pk if row else None
            made.save()
        elif row:
            row.delete()


def find_line(service_key: int) -> list[int]:
    """The keys of a service's team and of all teams above it."""
    parents = dict(Team.objects.values_list("pk", "parent"))
    team = Service.objects.filter(pk=service_key).values_list("team", flat=True).first()
    line: list[int] = []
    while team is not None and team not in line:
        line.append(team)
        team = parents.get(team)
    return sorted(line)


def rebuild_sums() -> None:
    """The sums of all teams and of all services anew, from those of the services."""
    Rollup.objects.exclude(scope=Rollup.Scope.SERVICE).delete()
    for (scope, key), found in sum_services().items():
        Rollup.objects.bulk_create(
            [make_rollup(scope, key, slot, table) for slot, table in found.items()],
            batch_size=BATCH,
        )


def sum_services() -> dict[SumKey, dict[Slot, Table]]:
    """What the sums of teams and of all are by those of the services."""
    lines = dict(ServiceState.objects.values_list("service_key", "line"))
    sums: dict[SumKey, dict[Slot, Table]] = defaultdict(dict)
    rows = Rollup.objects.filter(scope=Rollup.Scope.SERVICE).order_by("pk")
    for row in rows.iterator(chunk_size=200):
        slot = Slot(row.measure, row.environment, row.kind, row.year)
        table = bin_table(unpack(row.data))
        scopes = [(Rollup.Scope.TEAM.value, key) for key in lines.get(row.scope_key, [])]
        for where in [*scopes, (Rollup.Scope.ALL.value, 0)]:
            known = sums[where].get(slot)
            sums[where][slot] = add_tables([(known, 1), (table, 1)]) if known else table
    return sums


def write_state(facts: ServiceFacts, line: list[int]) -> None:
    """How far the facts go."""
    ServiceState.objects.update_or_create(
        service_key=facts.service_key,
        defaults={
            "refreshed_at": facts.at,
            "latest_at": facts.clocks.latest_at,
            "valid_until": facts.clocks.next_at,
            "tracked_since": facts.tracked_since,
            "has_any": facts.has_any,
            "has_mapped": facts.has_mapped,
            "has_unmapped": facts.has_unmapped,
            "size": facts.size,
            "line": line,
            "made_by": made_by(),
        },
    )


def list_services() -> list[int]:
    """The keys of all services, and of what belongs to none."""
    return [NO_SERVICE, *Service.objects.order_by("pk").values_list("pk", flat=True)]


def compare_sums(
    whose: Callable[[SumKey], str], scope: str, key: int, wanted: Mapping[Slot, Table]
) -> list[Difference]:
    """Where the stored sums of a scope are others than these."""
    stored = read_sums(scope, key)
    found = []
    for slot in sorted({*stored, *wanted}):
        if slot not in wanted:
            what = "is stored and should not be"
        elif slot not in stored:
            what = "is missing"
        elif _is_same(unpack(stored[slot]), wanted[slot]):
            continue
        else:
            what = "differs"
        place = " ".join(filter(None, (slot.environment, slot.kind)))
        found.append(
            Difference(whose((scope, key)), f"the sum of {slot.measure} {place} {slot.year} {what}")
        )
    return found


def _is_same(one: Table, other: Table) -> bool:
    """Whether two tables hold the same, in whatever order of columns."""
    if {*one.values} != {*other.values} or one.days.tolist() != other.days.tolist():
        return False
    for name, (days, values) in one.values.items():
        if days.tolist() != other.values[name][0].tolist():
            return False
        if values.tolist() != other.values[name][1].tolist():
            return False
    difference = add_tables([(one, 1), (other, -1)])
    return difference.is_empty
