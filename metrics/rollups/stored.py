"""Facts and sums read from their tables."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from metrics.measures.knowledge import SetAside
from metrics.measures.periods import Span
from metrics.measures.results import Row
from metrics.models import (
    AsideFact,
    CohortFact,
    ExecutionFact,
    IncidentFact,
    IntentFact,
    Rollup,
    TargetFact,
    TraceFact,
)

from .base import Summed, Unripe, Wanted, Where, is_within, put_within
from .counting import Slot
from .packing import unpack
from .rows import MODELS, READS


def narrow(rows: QuerySet[Any], where: Where) -> QuerySet[Any]:
    """The facts of the services, places and kind asked for."""
    if where.services is not None:
        rows = rows.filter(service__in=where.services)
    if where.environments is not None:
        rows = rows.filter(environment__in=where.environments)
    if where.kind is not None and hasattr(rows.model, "kind"):
        rows = rows.filter(kind=where.kind)
    return rows


def within(rows: QuerySet[Any], span: Span) -> QuerySet[Any]:
    """The facts counted in the span."""
    return rows.filter(at__gte=span.starts_at, at__lt=span.ends_at)


class StoredFacts:
    """The facts and sums in the tables."""

    def sums(self, measure: str, where: Where, days: tuple[date, date]) -> list[Summed]:
        """One query; as many rows as places, kinds and years."""
        rows = Rollup.objects.filter(scope=where.scope, scope_key=where.scope_key)
        return _read_sums(rows, measure, where, days)

    def service_sums(
        self, measure: str, where: Where, days: tuple[date, date], services: Collection[int] | None
    ) -> list[Summed]:
        """One query."""
        rows = Rollup.objects.filter(scope=Rollup.Scope.SERVICE)
        wanted = where.services if services is None else services
        if wanted is not None:
            rows = rows.filter(scope_key__in=wanted)
        return _read_sums(rows, measure, where, days)

    def unripe(self, measure: str, where: Where, span: Span, as_of: datetime) -> list[Unripe]:
        """One query, over what happened lately."""
        later = Q(mature_at__gt=as_of)
        if measure == "failures":
            rows: QuerySet[Any] = ExecutionFact.objects.filter(later, is_production=True)
            columns = FAILURE_COLUMNS
        else:
            rows = IntentFact.objects.filter(later | Q(mature_at=None))
            columns = INTENT_COLUMNS
        found = (
            within(narrow(rows, where), span)
            .values_list("service", "environment", "day")
            .annotate(**{f"of_{name}": Count("pk", filter=q) for name, q in columns.items()})
            .order_by()
        )
        return [
            Unripe(service, environment, day, dict(zip(columns, counts, strict=True)))
            for service, environment, day, *counts in found
        ]

    def failed(self, where: Where, span: Span) -> Iterable[ExecutionFact]:
        """One query."""
        rows = ExecutionFact.objects.filter(has_failed=True, is_production=True)
        return within(narrow(rows, where), span).only(
            "unit", "at", "mature_at", "recovery_hours", "is_contained"
        )

    def recurring(self, where: Where, span: Span) -> list[TraceFact]:
        """One query, over a partial index."""
        rows = TraceFact.objects.filter(
            last_at__gt=F("at"), last_at__gte=span.starts_at, at__lt=span.ends_at
        )
        return [fact for fact in narrow(rows, where) if is_within(fact, span)]

    def built(self, where: Where, span: Span) -> Iterable[CohortFact]:
        """One query."""
        rows = CohortFact.objects.all()
        if where.services is not None:
            rows = rows.filter(service__in=where.services)
        return within(rows, span)

    def incidents(self, where: Where, span: Span) -> list[IncidentFact]:
        """One query."""
        return list(within(narrow(IncidentFact.objects.all(), where), span).order_by("unit"))

    def targets(self, where: Where) -> list[TargetFact]:
        """One query."""
        return list(narrow(TargetFact.objects.all(), where))

    def rows(
        self, measure: str, where: Where, wanted: Wanted, as_of: datetime, part: slice
    ) -> list[Row]:
        """One query, or two where releases are counted by several times."""
        model = MODELS[measure]
        counted = Q(at__gte=wanted.span.starts_at, at__lt=wanted.span.ends_at)
        if model is TraceFact:
            again = [fact.pk for fact in self.recurring(where, wanted.span)]
            counted |= Q(pk__in=again)
        rows = narrow(model._default_manager.filter(counted), where)
        if measure == "failures":
            rows = rows.filter(is_production=True)
        if wanted.verdict:
            rows = rows.filter(_with_verdict(measure, wanted.verdict))
        ordered = rows.order_by(*_order(measure, wanted)).select_related("service")
        return [
            put_within(READS[measure](fact, fact.service.slug, as_of), wanted.span)
            for fact in ordered[part]
        ]

    def sample(
        self, measure: str, where: Where, span: Span, as_of: datetime, level: int
    ) -> list[Row]:
        """One query, over as many rows as it returns."""
        rows = within(
            narrow(MODELS[measure]._default_manager.filter(level__gte=level), where), span
        )
        return [
            READS[measure](fact, fact.service.slug, as_of)
            for fact in rows.order_by("at", "unit").select_related("service")
        ]

    def aside(self, cause: str, where: Where, span: Span, part: slice) -> list[SetAside]:
        """One query."""
        rows = AsideFact.objects.filter(cause=cause)
        if where.services is not None:
            rows = rows.filter(service__in=where.services)
        if cause == "negative":
            rows = narrow(rows, where)
        found = within(rows, span).order_by("unit", "at")
        return [
            SetAside(unit, unit.rpartition("-")[0], service or "", environment, at)
            for unit, service, environment, at in found.values_list(
                "unit", "service__slug", "environment", "at"
            )[part]
        ]


INTENT_COLUMNS = {
    "n": Q(),
    "good": Q(is_good=True),
    "executed": Q(was_executed=True),
    "eventual": Q(is_eventual=True),
}
FAILURE_COLUMNS = {
    "n": Q(),
    "good": Q(has_failed=True),
    "rework": Q(is_rework=True),
    "contained": Q(has_failed=True, is_contained=True),
    "open": Q(has_failed=True, recovery_hours=None),
    "negative": Q(recovery_hours__lt=0),
}


def _read_sums(
    rows: QuerySet[Rollup], measure: str, where: Where, days: tuple[date, date]
) -> list[Summed]:
    first, end = days
    rows = rows.filter(
        measure=measure,
        year__gte=first.year,
        year__lte=end.year,
        last_day__gte=first,
        first_day__lt=end,
    )
    if where.environments is not None:
        rows = rows.filter(environment__in=where.environments)
    if where.kind is not None:
        rows = rows.filter(kind=where.kind)
    return [
        Summed(key, Slot(measure, environment, kind, year), unpack(data))
        for key, environment, kind, year, data in rows.order_by("pk").values_list(
            "scope_key", "environment", "kind", "year", "data"
        )
    ]


def _with_verdict(measure: str, verdict: str) -> Q:
    if measure != "failures":
        return Q(verdict=verdict)
    known = {"failed": Q(has_failed=True), "good": Q(has_failed=False)}
    return known.get(verdict, Q(pk=None))


def _order(measure: str, wanted: Wanted) -> list[Any]:
    first: list[Any] = {
        "service": [F("service__slug")],
        "environment": [F("environment")],
        "verdict": [F("has_failed") if measure == "failures" else F("verdict")],
        "hours": [],
    }.get(wanted.sort, [])
    if wanted.sort == "hours" and measure == "build_to_production":
        first = [F("hours")]
    elif wanted.sort == "hours" and measure == "failures":
        # What is still open lasts longest, and longer the earlier it failed.
        first = [F("has_failed"), F("recovery_hours")]
    return [
        each.asc(nulls_last=True) if wanted.is_ascending else each.desc(nulls_first=True)
        for each in (*first, F("at"), F("unit"))
    ]
