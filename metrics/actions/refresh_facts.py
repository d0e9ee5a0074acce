"""Bring the facts and sums of services up to what is on record. They are no record: not audited."""

from datetime import datetime

from django.db import transaction

from metrics.facts import find_linked
from metrics.models import Rollup, ServiceState, StaleService
from metrics.rollups.computing import compute_facts
from metrics.rollups.freshness import find_stale
from metrics.rollups.packing import unpack
from metrics.rollups.service_facts import NO_SERVICE
from metrics.rollups.storing import (
    apply_sums,
    find_line,
    list_services,
    read_sums,
    rebuild_sums,
    write_facts,
    write_state,
    write_sums,
)
from metrics.rollups.watching import EVERY_SERVICE, LINES

from .note_flow import note_flow


def refresh_facts(service_key: int, at: datetime, *, with_sums: bool = True) -> int:
    """Brings one service (0: what belongs to none) up to what is known at `at`.

    Returns how many fact rows changed. Without `with_sums` the sums of its teams and of all are
    left as they are, for the caller to rebuild. What is noted as changed is read before the record, so a
    change that commits meanwhile stays noted.
    """
    with transaction.atomic():
        state = _lock(service_key, at)
        noted = list(
            StaleService.objects.filter(service_key=service_key).values_list("pk", flat=True)
        )
        facts = compute_facts(service_key, at)
        line = find_line(service_key) if service_key != NO_SERVICE else []
        changed = write_facts(facts)
        write_sums(facts, line, state.line, with_others=with_sums)
        if service_key != NO_SERVICE:
            note_flow(service_key, at)
        write_state(facts, line)
        StaleService.objects.filter(pk__in=noted).delete()
    return changed


def _lock(service_key: int, at: datetime) -> ServiceState:
    """One refresh of a service at a time; the other waits, and finds little left to do."""
    ServiceState.objects.get_or_create(
        service_key=service_key, defaults={"refreshed_at": at, "made_by": ""}
    )
    return ServiceState.objects.select_for_update().get(service_key=service_key)


def spread_staleness() -> None:
    """What was noted of every service or of the teams is noted of, or done for, each service."""
    with transaction.atomic():
        general = StaleService.objects.filter(service_key__in=(EVERY_SERVICE, LINES))
        noted = dict(general.values_list("pk", "service_key"))
        if not noted:
            return
        if EVERY_SERVICE in noted.values():
            StaleService.objects.bulk_create(
                [StaleService(service_key=key) for key in list_services()]
            )
        if LINES in noted.values():
            _move_lines()
        StaleService.objects.filter(pk__in=noted).delete()


def _move_lines() -> None:
    """Services that came to another team take their sums with them."""
    for state in ServiceState.objects.select_for_update().order_by("service_key"):
        line = find_line(state.service_key) if state.service_key != NO_SERVICE else []
        if line == state.line:
            continue
        stored = read_sums(Rollup.Scope.SERVICE, state.service_key)
        tables = {slot: unpack(data) for slot, data in stored.items()}
        for key in sorted({*line} - {*state.line}):
            apply_sums(Rollup.Scope.TEAM, key, tables, {})
        for key in sorted({*state.line} - {*line}):
            apply_sums(Rollup.Scope.TEAM, key, {}, tables)
        state.line = line
        state.save(update_fields=["line"])


def refresh_stale(at: datetime) -> int:
    """Brings up to date what is not, and what hangs together with it; returns how many services."""
    spread_staleness()
    stale = find_stale(at)
    linked = {key for each in stale if each != NO_SERVICE for key in find_linked(each)}
    together = [*stale, *sorted(linked - {*stale})]
    for key in together:
        refresh_facts(key, at)
    return len(together)


def fill_facts(at: datetime) -> int:
    """Makes the facts of all services, and then the sums of several once; returns the rows written.

    For a database that was filled at once: until it ends the sums of teams and of all lack what
    it did not come to.
    """
    spread_staleness()
    changed = sum(refresh_facts(key, at, with_sums=False) for key in list_services())
    with transaction.atomic():
        rebuild_sums()
    return changed


def recompute(at: datetime) -> int:
    """Makes all facts and sums anew from the record; returns how many fact rows were wrong.

    A service at a time, so that the others go on being read and brought up to date.
    """
    spread_staleness()
    services = list_services()
    gone = Rollup.objects.filter(scope=Rollup.Scope.SERVICE).exclude(scope_key__in=services)
    gone.delete()
    ServiceState.objects.exclude(service_key__in=services).delete()
    StaleService.objects.exclude(service_key__in=services).delete()
    changed = sum(refresh_facts(key, at) for key in services)
    with transaction.atomic():
        rebuild_sums()
    return changed
