"""Whether the stored facts and sums are what the record gives; writes nothing."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from metrics.models import Rollup
from promotion.models import Service, Team

from .computing import compute_facts
from .counting import Slot, sum_facts
from .packing import Table, add_tables, bin_table
from .service_facts import NO_SERVICE
from .storing import (
    KINDS,
    Difference,
    SumKey,
    compare_facts,
    compare_sums,
    find_line,
    list_services,
)


def find_differences(at: datetime) -> Iterator[Difference]:
    """What is stored otherwise than a full computation at `at` gives: facts, then sums."""
    services = dict(Service.objects.values_list("pk", "slug"))
    teams = dict(Team.objects.values_list("pk", "slug"))
    sums: dict[SumKey, dict[Slot, Table]] = defaultdict(dict)

    def name(whose: SumKey) -> str:
        scope, key = whose
        if scope == Rollup.Scope.ALL:
            return "all services"
        if scope == Rollup.Scope.TEAM:
            return f"team {teams.get(key, key)}"
        return services.get(key, "no service")

    for key in list_services():
        facts = compute_facts(key, at)
        whose = name((Rollup.Scope.SERVICE, key))
        for model in KINDS:
            wrong, missing = compare_facts(facts, model)
            kind = model._meta.verbose_name
            if wrong:
                yield Difference(whose, f"{len(wrong)} rows of {kind} the record does not give")
            if missing:
                yield Difference(whose, f"{len(missing)} rows of {kind} are missing")
        own = sum_facts(facts)
        yield from compare_sums(name, Rollup.Scope.SERVICE, key, own)
        line = find_line(key) if key != NO_SERVICE else []
        scopes = [(Rollup.Scope.TEAM.value, team) for team in line]
        for where in [*scopes, (Rollup.Scope.ALL.value, 0)]:
            for slot, table in own.items():
                known = sums[where].get(slot)
                sums[where][slot] = (
                    add_tables([(known, 1), (table, 1)]) if known else bin_table(table)
                )
    stored = Rollup.objects.exclude(scope=Rollup.Scope.SERVICE).values_list("scope", "scope_key")
    for scope, key in sorted({*sums, *stored.distinct()}):
        yield from compare_sums(name, scope, key, sums.get((scope, key), {}))
    yield from _find_leftovers({*services})


def _find_leftovers(services: set[int]) -> Iterator[Difference]:
    """Sums of services that are gone; their facts go with them."""
    kept = Rollup.objects.filter(scope=Rollup.Scope.SERVICE).exclude(scope_key=NO_SERVICE)
    for key in sorted({*kept.values_list("scope_key", flat=True)} - services):
        yield Difference(f"service {key}", "its sums are stored, and the service is gone")
