"""The flow of a period: sums over its facts by gate, day, strategy and control, made by the database.

What is read grows with the days and groups shown. Percentiles are exact: the database sorts, and two
values of each are read.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from metrics.flow_results import (
    Control,
    Cost,
    Hands,
    Lead,
    OpenWork,
    Outcome,
    Parts,
    Week,
    add_days,
)
from metrics.forms import Asked
from metrics.measures.base import PRODUCTION
from metrics.measures.controls import EXCEPTED, GLASS, MET, MISSED
from metrics.measures.flow import PARTS
from metrics.measures.periods import MONTH, WEEK, Buckets, Period, span_of
from metrics.models import (
    CohortFact,
    ControlFact,
    ExecutionFact,
    FlowFact,
    IntentFact,
    WaitFact,
)
from metrics.reports import WEEKS_UP_TO_DAYS, find_services
from metrics.statistics import wilson
from promotion.models import Environment, Promotion

HOUR, DAY_SECONDS = 3600.0, 86400.0
AGE_LIMITS = (HOUR, DAY_SECONDS, 3 * DAY_SECONDS, 7 * DAY_SECONDS, 30 * DAY_SECONDS)
OLDEST = 25
CHECKSUM = "checksum"
LEAST = {0.5: 5, 0.75: 12, 0.9: 30}
Rows = QuerySet[Any, Any]


class Flow:
    """Reads the flow of what is asked. Without an environment it is that of production."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.keys = find_services(asked)
        span = span_of(asked.period)
        self.environments = self._find_environments()
        self.facts = self._narrow(FlowFact.objects.all()).filter(
            at__gte=span.starts_at, at__lt=span.ends_at, at__lte=asked.as_of
        )

    def _find_environments(self) -> list[str]:
        filters = self.asked.filters
        if filters.environment:
            return [filters.environment]
        return list(Environment.objects.filter(tier=PRODUCTION).values_list("slug", flat=True))

    def _narrow(self, rows: Rows) -> Rows:
        wanted: dict[str, Any] = {"environment__in": self.environments}
        if self.asked.filters.kind:
            wanted["kind"] = self.asked.filters.kind
        if self.keys is not None:
            wanted["service__in"] = self.keys
        return rows.filter(**wanted)

    @property
    def step(self) -> str:
        """Points of a series are weeks, or months where there would be too many."""
        period = self.asked.period
        return WEEK if (period.to - period.from_).days <= WEEKS_UP_TO_DAYS else MONTH

    @cached_property
    def _days(self) -> dict[date, dict[str, Any]]:
        """The sums of each day; read once."""
        sums = {name: Sum(name) for name in PARTS}
        rows = self.facts.order_by().values("day").annotate(n=Count("pk"), **sums)
        return {row["day"]: row for row in rows}

    def parts(self) -> Parts:
        """Over the whole period."""
        return add_days(self._days.values())

    def parts_by_step(self) -> list[tuple[Period, Parts]]:
        """In each week or month of the period."""
        return [
            (part, add_days(row for day, row in self._days.items() if part.from_ <= day < part.to))
            for part in Buckets(self.asked.period, self.step).parts
        ]

    def costs(self) -> list[Cost]:
        """Each gate and approval rule that held anything, the dearest first."""
        rows = (
            WaitFact.objects.filter(flow__in=self.facts.values("pk"))
            .order_by()
            .values("gate", "rule")
            .annotate(
                n=Count("pk"),
                held_in_all=Sum("held"),
                alone_in_all=Sum("alone"),
                closed=Count("pk", filter=Q(was_closed=True)),
                passed=Count("pk", filter=Q(was_passed=True)),
                rejected=Count("pk", filter=Q(caught="rejected")),
                expired=Count("pk", filter=Q(caught="expired")),
                cancelled=Count("pk", filter=Q(caught="cancelled")),
            )
        )
        costs = [
            Cost(
                gate=row["gate"],
                rule=row["rule"],
                promotions=row["n"],
                held=row["held_in_all"],
                alone=row["alone_in_all"],
                closed=row["closed"],
                passed=row["passed"],
                rejected=row["rejected"],
                expired=row["expired"],
                cancelled=row["cancelled"],
            )
            for row in rows
        ]
        return sorted(costs, key=lambda cost: (-cost.held, cost.gate, cost.rule))

    def rows(self, gate: str = "", rule: str = "") -> QuerySet[FlowFact]:
        """The promotions behind, the slowest first; `gate` and `rule` keep those that it held."""
        rows = self.facts.select_related("service").order_by("-lead", "-pk")
        if gate:
            held = WaitFact.objects.filter(gate=gate, rule=rule).values("flow")
            rows = rows.filter(pk__in=held)
        return rows

    def lead(self) -> Lead:
        """From asking to success, over promotions that succeeded."""
        rows = self.facts.filter(state="succeeded").order_by("lead")
        n = rows.count()
        return Lead(
            n,
            tuple(
                (share, _read_percentile(rows, n, share) if n >= least else None)
                for share, least in LEAST.items()
            ),
        )

    def throughput(self) -> list[Week]:
        """Production deployments that ended and releases asked for, in each week or month."""
        deployments, intents = (self._count_days(facts) for facts in (ExecutionFact, IntentFact))
        return [
            Week(part, _sum_days(deployments, part), _sum_days(intents, part))
            for part in Buckets(self.asked.period, self.step).parts
        ]

    def _count_days(self, facts: type[ExecutionFact] | type[IntentFact]) -> dict[date, int]:
        period = self.asked.period
        rows = self._narrow(facts._default_manager.all()).filter(
            day__gte=period.from_, day__lt=period.to, at__lte=self.asked.as_of
        )
        counted = rows.order_by().values("day").annotate(n=Count("pk"))
        return {row["day"]: row["n"] for row in counted}

    def outcomes(self) -> list[Outcome]:
        """Each rollout strategy used; failed later: judged failed though it succeeded."""
        failed = self._narrow(ExecutionFact.objects.all()).filter(
            has_failed=True, at__gte=self.asked.period.starts_at, at__lte=self.asked.as_of
        )
        went_wrong = Q(state="succeeded", unit__in=failed.values("promotion"))
        rows = (
            self.facts.filter(started_at__isnull=False)
            .order_by()
            .values("strategy")
            .annotate(
                n=Count("pk"),
                succeeded=Count("pk", filter=Q(state="succeeded")),
                failed_later=Count("pk", filter=went_wrong),
            )
        )
        return [
            Outcome(
                strategy=row["strategy"],
                n=row["n"],
                succeeded=row["succeeded"],
                ended_badly=row["n"] - row["succeeded"],
                failed_later=row["failed_later"],
                interval=wilson(row["succeeded"] - row["failed_later"], row["n"]),
            )
            for row in sorted(rows, key=lambda row: -row["n"])
        ]

    def controls(self) -> list[Control]:
        """Each required control, the one missed most first."""
        rows = (
            ControlFact.objects.filter(flow__in=self.facts.values("pk"))
            .order_by()
            .values("control", "outcome")
            .annotate(n=Count("pk"))
        )
        counts: dict[str, Counter[str]] = {}
        for row in rows:
            counts.setdefault(row["control"], Counter())[row["outcome"]] = row["n"]
        found = [
            Control(control, count[MET], count[EXCEPTED], count[GLASS], count[MISSED])
            for control, count in counts.items()
        ]
        return sorted(found, key=lambda each: (each.met / each.n, each.control))

    def checksums(self) -> list[tuple[Period, int, int]]:
        """In each week or month: promotions whose checksum was met before the start, of all that started."""
        started = self.facts.filter(started_at__isnull=False)
        of = started.order_by().values("day").annotate(n=Count("pk"))
        met = (
            ControlFact.objects.filter(flow__in=started.values("pk"), control=CHECKSUM, outcome=MET)
            .order_by()
            .values("flow__day")
            .annotate(n=Count("pk"))
        )
        of_days = {row["day"]: row["n"] for row in of}
        met_days = {row["flow__day"]: row["n"] for row in met}
        return [
            (part, _sum_days(met_days, part), _sum_days(of_days, part))
            for part in Buckets(self.asked.period, self.step).parts
        ]

    def hands(self) -> Hands:
        """Steps by hand and hand-offs of the promotions that started."""
        told = self.facts.filter(started_at__isnull=False).aggregate(
            n=Count("pk"),
            manual=Sum("manual_steps"),
            hand_offs=Sum("hand_offs"),
            with_manual=Count("pk", filter=Q(manual_steps__gt=0)),
        )
        return Hands(told["n"], told["manual"] or 0, told["hand_offs"] or 0, told["with_manual"])

    def open_work(self) -> OpenWork:
        """What is open at the as-of, whatever the period."""
        at = self.asked.as_of
        rows = Promotion.objects.filter(
            Q(ended_at=None) | Q(ended_at__gt=at),
            asked_at__lte=at,
            environment__slug__in=self.environments,
        )
        if self.asked.filters.kind:
            rows = rows.filter(kind=self.asked.filters.kind)
        if self.keys is not None:
            rows = rows.filter(service__in=self.keys)
        return OpenWork(
            by_age=_count_by_age(rows, "asked_at", at),
            oldest=tuple(rows.for_display().order_by("asked_at", "pk")[:OLDEST]),
            builds_by_age=self._count_builds(at),
        )

    def _count_builds(self, at: datetime) -> tuple[int, ...]:
        """Digests built, not in production and not overtaken; counted by the database."""
        rows = CohortFact.objects.filter(at__lte=at, is_superseded=False).filter(
            Q(deployed_at=None) | Q(deployed_at__gt=at)
        )
        if self.keys is not None:
            rows = rows.filter(service__in=self.keys)
        return _count_by_age(rows, "at", at)


def _count_by_age(rows: Rows, since: str, at: datetime) -> tuple[int, ...]:
    """How many rows lie in each band of AGE_LIMITS, by the time since `since`; one query."""
    edges = [None, *(at - timedelta(seconds=limit) for limit in AGE_LIMITS), None]
    bands = {}
    for place, (younger, older) in enumerate(pairwise(edges)):
        band = Q()
        if younger is not None:
            band &= Q(**{f"{since}__lte": younger})
        if older is not None:
            band &= Q(**{f"{since}__gt": older})
        bands[f"band_{place}"] = Count("pk", filter=band) if band else Count("pk")
    counted = rows.aggregate(**bands)
    return tuple(counted[name] for name in bands)


def _sum_days(counts: dict[date, int], part: Period) -> int:
    return sum(n for day, n in counts.items() if part.from_ <= day < part.to)


def _read_percentile(rows: Rows, n: int, share: float) -> float:
    """Linear interpolation (type 7) between two values read at their place."""
    place = share * (n - 1)
    low = int(place)
    values = list(rows.values_list("lead", flat=True)[low : low + 2])
    if len(values) == 1:
        return float(values[0])
    return float(values[0] + (values[1] - values[0]) * (place - low))
