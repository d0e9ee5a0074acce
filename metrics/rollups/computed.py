"""Facts of some services as known at a time, computed for one page, and both kinds together."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from metrics.measures.knowledge import SetAside
from metrics.measures.periods import Span
from metrics.measures.results import Row
from metrics.models import (
    AsideFact,
    CohortFact,
    ExecutionFact,
    IncidentFact,
    TargetFact,
    TraceFact,
)

from .base import SORTS, Store, Summed, Unripe, Wanted, Where, is_within, put_within
from .counting import count_failure, count_intent, sum_facts
from .rows import MODELS, READS
from .service_facts import ServiceFacts


class ComputedFacts:
    """Facts of services as known at a time, computed and not stored."""

    def __init__(self, facts: Sequence[ServiceFacts], names: dict[int, str]) -> None:
        self._facts, self._names = facts, names
        self._sums = [
            Summed(each.service_key, slot, table)
            for each in facts
            for slot, table in sum_facts(each).items()
        ]

    def sums(self, measure: str, where: Where, days: tuple[date, date]) -> list[Summed]:
        """Those of all services, since one after the other they are the sum."""
        return self.service_sums(measure, where, days, None)

    def service_sums(
        self, measure: str, where: Where, days: tuple[date, date], services: Collection[int] | None
    ) -> list[Summed]:
        """From memory."""
        return [
            each
            for each in self._sums
            if each.slot.measure == measure
            and where.holds(each.slot.environment, each.slot.kind)
            and (services is None or each.service in services)
        ]

    def _of(self, model: type[Any], where: Where | None = None) -> list[Any]:
        return [
            fact
            for each in self._facts
            for fact in each.of(model)
            if where is None
            or where.holds(fact.environment, getattr(fact, "kind", where.kind or ""))
        ]

    def unripe(self, measure: str, where: Where, span: Span, as_of: datetime) -> list[Unripe]:
        """From memory."""
        facts = [
            fact
            for fact in self._of(MODELS[measure], where)
            if span.holds(fact.at) and (fact.mature_at is None or fact.mature_at > as_of)
        ]
        if measure == "failures":
            return [
                Unripe(fact.service_id, fact.environment, fact.day, count_failure(fact))
                for fact in facts
                if fact.is_production
            ]
        return [
            Unripe(fact.service_id, fact.environment, fact.day, count_intent(fact))
            for fact in facts
        ]

    def failed(self, where: Where, span: Span) -> Iterable[ExecutionFact]:
        """From memory."""
        return [
            fact
            for fact in self._of(ExecutionFact, where)
            if fact.has_failed and fact.is_production and span.holds(fact.at)
        ]

    def recurring(self, where: Where, span: Span) -> list[TraceFact]:
        """From memory."""
        return [fact for fact in self._of(TraceFact, where) if fact.times and is_within(fact, span)]

    def built(self, where: Where, span: Span) -> Iterable[CohortFact]:
        """From memory."""
        return [fact for fact in self._of(CohortFact) if span.holds(fact.at)]

    def incidents(self, where: Where, span: Span) -> list[IncidentFact]:
        """From memory."""
        found = [fact for fact in self._of(IncidentFact, where) if span.holds(fact.at)]
        return sorted(found, key=lambda fact: fact.unit)

    def targets(self, where: Where) -> list[TargetFact]:
        """From memory."""
        return self._of(TargetFact, where)

    def rows(
        self, measure: str, where: Where, wanted: Wanted, as_of: datetime, part: slice
    ) -> list[Row]:
        """From memory."""
        found = [
            put_within(row, wanted.span)
            for row in self._rows(measure, where, as_of)
            if any(wanted.span.holds(at) for at in (row.at, *row.also_at))
            and wanted.verdict in ("", row.verdict)
        ]
        found.sort(key=SORTS[wanted.sort], reverse=not wanted.is_ascending)
        return found[part]

    def _rows(self, measure: str, where: Where, as_of: datetime) -> list[Row]:
        return [
            READS[measure](fact, self._names[fact.service_id], as_of)
            for fact in self._of(MODELS[measure], where)
            if measure != "failures" or fact.is_production
        ]

    def sample(
        self, measure: str, where: Where, span: Span, as_of: datetime, level: int
    ) -> list[Row]:
        """All of them: what is computed for one page is little."""
        return self.rows(measure, where, Wanted(span), as_of, slice(None))

    def aside(self, cause: str, where: Where, span: Span, part: slice) -> list[SetAside]:
        """From memory."""
        found = [
            SetAside(
                fact.unit,
                fact.unit.rpartition("-")[0],
                self._names.get(fact.service_id, ""),
                fact.environment,
                fact.at,
            )
            for fact in self._of(AsideFact)
            if fact.cause == cause
            and span.holds(fact.at)
            and (cause != "negative" or where.holds(fact.environment, fact.kind))
        ]
        return sorted(found, key=lambda each: (each.id, each.at))[part]


class MixedFacts:
    """Stored facts, but computed ones of the services that changed after the as-of or just now."""

    def __init__(self, stored: Store, computed: Store, unchanged: Sequence[int]) -> None:
        self._stored, self._computed = stored, computed
        self._unchanged = tuple(unchanged)

    def _rest(self, where: Where) -> Where:
        return replace(where, services=self._unchanged)

    def sums(self, measure: str, where: Where, days: tuple[date, date]) -> list[Summed]:
        """Those of the services one by one, since the stored sum is of all."""
        return self.service_sums(measure, where, days, None)

    def service_sums(
        self, measure: str, where: Where, days: tuple[date, date], services: Collection[int] | None
    ) -> list[Summed]:
        """Of both."""
        wanted = None if services is None else {*services} & {*self._unchanged}
        return [
            *self._stored.service_sums(measure, self._rest(where), days, wanted),
            *self._computed.service_sums(measure, where, days, services),
        ]

    def unripe(self, measure: str, where: Where, span: Span, as_of: datetime) -> list[Unripe]:
        """Of both."""
        return [
            *self._stored.unripe(measure, self._rest(where), span, as_of),
            *self._computed.unripe(measure, where, span, as_of),
        ]

    def failed(self, where: Where, span: Span) -> Iterable[ExecutionFact]:
        """Of both."""
        return [*self._stored.failed(self._rest(where), span), *self._computed.failed(where, span)]

    def recurring(self, where: Where, span: Span) -> list[TraceFact]:
        """Of both."""
        stored = self._stored.recurring(self._rest(where), span)
        return [*stored, *self._computed.recurring(where, span)]

    def built(self, where: Where, span: Span) -> Iterable[CohortFact]:
        """Of both."""
        return [*self._stored.built(self._rest(where), span), *self._computed.built(where, span)]

    def incidents(self, where: Where, span: Span) -> list[IncidentFact]:
        """Of both."""
        stored = self._stored.incidents(self._rest(where), span)
        found = [*stored, *self._computed.incidents(where, span)]
        return sorted(found, key=lambda fact: fact.unit)

    def targets(self, where: Where) -> list[TargetFact]:
        """Of both."""
        return [*self._stored.targets(self._rest(where)), *self._computed.targets(where)]

    def rows(
        self, measure: str, where: Where, wanted: Wanted, as_of: datetime, part: slice
    ) -> list[Row]:
        """Of both, in one order."""
        until = slice(0, part.stop)
        found = [
            *self._stored.rows(measure, self._rest(where), wanted, as_of, until),
            *self._computed.rows(measure, where, wanted, as_of, until),
        ]
        return sorted(found, key=SORTS[wanted.sort], reverse=not wanted.is_ascending)[part]

    def sample(
        self, measure: str, where: Where, span: Span, as_of: datetime, level: int
    ) -> list[Row]:
        """Of both."""
        found = [
            *self._stored.sample(measure, self._rest(where), span, as_of, level),
            *self._computed.sample(measure, where, span, as_of, level),
        ]
        return sorted(found, key=lambda row: (row.at, row.unit))

    def aside(self, cause: str, where: Where, span: Span, part: slice) -> list[SetAside]:
        """Of both."""
        until = slice(0, part.stop)
        found = [
            *self._stored.aside(cause, self._rest(where), span, until),
            *self._computed.aside(cause, where, span, until),
        ]
        return sorted(found, key=lambda each: (each.id, each.at))[part]
