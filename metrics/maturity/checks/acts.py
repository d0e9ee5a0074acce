"""Promotions as they were carried out: those on record, and what went to production past the record."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics.maturity.checks.facts import CheckFacts, PromotionDetail
from metrics.maturity.checks.results import Page, Unit
from metrics.measures.executions import Execution
from metrics.measures.periods import Span

MANUAL, AUTOMATED = "manual", "automated"
# Waiting, looking and telling carry nothing out.
CARRIES_NOTHING = frozenset(
    ("pause", "notify", "wait-for-deployment", "verify-http", "verify-metric")
)
UNDER_WAY = frozenset(("running", "pending", "waiting"))


@dataclass(frozen=True, slots=True)
class Act:
    """A promotion that started, or a production execution that belongs to none.

    `lag` is how long after it happened it was on record; None where it was only seen running.
    """

    id: str
    service: str
    environment: str
    version: str
    at: datetime
    page: Page
    is_manual: bool
    is_automated: bool
    runs: tuple[str, ...]
    steps: frozenset[str]
    lag: timedelta | None
    promotion: PromotionDetail | None = None
    execution: Execution | None = None

    @property
    def has_run(self) -> bool:
        """A pipeline run is named, or steps of ours carried it out: their record is its run."""
        return bool(self.runs or self.steps)

    @property
    def name(self) -> str:
        """What went where."""
        place = name_targets(self.execution) if self.execution else ""
        return f"{self.service} {self.version} to {self.environment}{place}"

    def judge(self, good: bool, what: str) -> Unit:
        """The act as a unit of a figure; `what` is said where it is not good."""
        return Unit(self.id, self.service, good, f"`{self.name}` {what}", self.page)


def name_targets(execution: Execution) -> str:
    """The targets of an execution that belongs to no promotion, which is one for each of them."""
    names = sorted({name for run in execution.runs for name in run.targets if name})
    return f" ({', '.join(names)})" if names and execution.promotion is None else ""


def name_version(facts: CheckFacts, service: str, digest: str) -> str:
    """The version a digest is of; its beginning where no release has it."""
    return facts.versions.get((service, digest)) or digest.removeprefix("sha256:")[:12]


def find_page(facts: CheckFacts, execution: Execution) -> Page:
    """Where to read of an execution: its promotion, its release, or what told of it."""
    if execution.promotion is not None:
        return Page("promotion-detail", (int(execution.promotion.id.partition("-")[2]),))
    version = facts.versions.get((execution.service, execution.digest))
    if version:
        return Page("release-detail", (execution.service, version))
    event = next((facts.events[key] for key in execution.ids if key in facts.events), None)
    return Page("event-detail", (event,)) if event is not None else Page()


def find_executions(facts: CheckFacts, span: Span) -> tuple[Execution, ...]:
    """The team's production executions that finished in the span."""
    history = facts.history
    return tuple(
        each
        for each in history.executions
        if each.service in facts.services
        and history.is_production(each.environment)
        and span.holds(each.finished_at)
    )


def judge_execution(facts: CheckFacts, execution: Execution, good: bool, what: str) -> Unit:
    """An execution as a unit of a figure; `what` is said where it is not good."""
    version = name_version(facts, execution.service, execution.digest)
    name = f"{execution.service} {version}{name_targets(execution)}"
    page = find_page(facts, execution)
    return Unit(execution.id, execution.service, good, f"`{name}` {what}", page)


def find_acts(facts: CheckFacts, span: Span) -> tuple[Act, ...]:
    """The promotions started in the span, and the production executions past the record, by time."""
    of_promotion: dict[str, list[Execution]] = defaultdict(list)
    for each in facts.history.executions:
        if each.promotion is not None:
            of_promotion[each.promotion.id].append(each)
    acts = [
        _read_promotion(facts, each, of_promotion.get(each.id, []))
        for each in facts.promotions
        if span.holds(each.started_at)
    ]
    known = {each.id for each in facts.promotions}
    acts += [
        _read_execution(facts, each)
        for each in find_executions(facts, span)
        if each.promotion is None or each.promotion.id not in known
    ]
    return tuple(sorted(acts, key=lambda act: (act.at, act.id)))


def _runs_of(facts: CheckFacts, executions: list[Execution]) -> tuple[str, ...]:
    found = (facts.runs.get(key, "") for each in executions for key in each.ids)
    return tuple(dict.fromkeys(run for run in found if run))


def _read_promotion(facts: CheckFacts, detail: PromotionDetail, done: list[Execution]) -> Act:
    said = {run.mechanism for each in done for run in each.runs}
    return Act(
        id=detail.id,
        service=detail.service,
        environment=detail.environment,
        version=detail.version,
        at=detail.started_at,
        page=Page("promotion-detail", (detail.number,)),
        is_manual=MANUAL in said or detail.mechanism == MANUAL,
        is_automated=detail.mechanism == AUTOMATED,
        runs=(*detail.runs, *_runs_of(facts, done)),
        steps=detail.steps - CARRIES_NOTHING,
        lag=timedelta(0),
        promotion=detail,
    )


def _read_execution(facts: CheckFacts, execution: Execution) -> Act:
    said = {run.mechanism for run in execution.runs}
    last = max(execution.runs, key=lambda run: run.finished_at)
    return Act(
        id=execution.id,
        service=execution.service,
        environment=execution.environment,
        version=name_version(facts, execution.service, execution.digest),
        at=execution.finished_at,
        page=find_page(facts, execution),
        is_manual=MANUAL in said,
        is_automated=said == {AUTOMATED},
        runs=_runs_of(facts, [execution]),
        steps=frozenset(),
        lag=None if execution.is_observed else last.received_at - last.finished_at,
        execution=execution,
    )
