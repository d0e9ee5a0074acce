"""What the engine promises, checked from outside after every act, and the far side that keeps count."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Count

from promotion.actions.apply_pipeline import apply_pipeline
from promotion.actions.outcome import record_outcome
from promotion.exceptions import ThroughlineError, UnreachableError
from promotion.models import (
    Approval,
    AuditEntry,
    BreakGlass,
    Environment,
    Promotion,
    Release,
    Role,
    Service,
    StepRun,
    Transition,
    User,
)
from promotion.rules.states import FINAL, State, may_move
from promotion.steps.base import Outcome, StepContext, StepResult
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_release,
    make_service,
)

EXPIRES = timedelta(days=7)
ACTS = {
    State.WAITING: {"promotion.ask"},
    State.RUNNING: {"promotion.start"},
    State.REJECTED: {"promotion.reject"},
    State.EXPIRED: {"promotion.expire"},
    State.SUPERSEDED: {"promotion.supersede"},
    State.CANCELLED: {"promotion.cancel", "promotion.cancelled"},
}


class KilledError(BaseException):
    """A worker ends here, as by SIGKILL: nothing of the engine may catch it."""


@dataclass(slots=True)
class FarSide:
    """Refuses repeats by key; `fate` is what becomes of the next call or of who makes it."""

    fate: str = "well"
    calls: Counter[str] = field(default_factory=Counter)

    def do(self, run: StepRun) -> StepResult:
        """The effect; whoever comes here must have been let."""
        promotion = Promotion.objects.get(pk=run.promotion_id)
        assert promotion.state == State.RUNNING
        assert promotion.stop_requested_at is None
        assert sorted(promotion.release.digests) == sorted(promotion.content["artifacts"])
        self.calls[run.effect_key] += 1
        return StepResult(Outcome.SUCCEEDED, "Done.")


@dataclass(frozen=True, slots=True)
class RecordStep:
    """A step whose far side is in this process."""

    far_side: FarSide
    kind: str = "record"
    title: str = "Record"
    default_timeout: timedelta | None = None
    is_verification: bool = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """None."""
        return ()

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """In a word."""
        return "Records"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """As the pipeline says."""
        return bool(inputs.get("repeatable", True))

    def start(self, context: StepContext) -> StepResult:
        """As its fate is."""
        fate = self.far_side.fate
        if fate == "dies before":
            raise KilledError
        if fate == "waits":
            return StepResult(Outcome.WAITING, "Not yet.", look_again_in=timedelta(minutes=1))
        if fate == "fails":
            return StepResult(Outcome.FAILED, "No.")
        if fate == "breaks":
            raise UnreachableError("It cannot be reached.")
        result = self.far_side.do(context.step_run)
        if fate == "dies after":
            raise KilledError
        if fate == "unknown" and not self.repeat_is_safe(context.inputs):
            return StepResult(Outcome.UNKNOWN, "Nobody knows.")
        return result

    def look(self, context: StepContext) -> StepResult:
        """The same."""
        return self.start(context)


@dataclass(slots=True)
class Scene:
    """One service, four releases, two environments, three people and a clock."""

    service: Service
    releases: list[Release]
    places: dict[str, Environment]
    people: dict[str, User]
    now: datetime = NOW


def pipeline_text(version: int, *, count: int, is_auto: bool) -> str:
    """Dev, of itself or not, goes back when it fails; production needs so many managers."""
    return f"""
service: shipment-api
stages:
  - name: dev
    environment: dev
    auto: {str(is_auto).lower()}
    queue: {"fifo" if version % 2 else "supersede"}
    on_failure: rollback
    steps: [{{record: {{version: "{version}"}}}}, {{record: {{repeatable: false}}}}]
  - name: production
    environment: production
    approvals: [{{name: managers, count: {count}, from: ["role:release manager"]}}]
    steps: [{{record: {{repeatable: false}}}}, {{record: {{}}}}]
"""


def make_scene() -> Scene:
    """The first release runs everywhere."""
    service, places = make_service(), make_environments()
    people = {
        "ines": make_person("ines", Role.RELEASE_MANAGER),
        "priya": make_person("priya", Role.RELEASE_MANAGER),
        "tomasz": make_person("tomasz", Role.MEMBER),
    }
    people["ines"].user_permissions.add(Permission.objects.get(codename="break_glass"))
    before = NOW - timedelta(days=30)
    releases = [make_release(service, f"1.{n}.0", at=before + timedelta(hours=n)) for n in range(4)]
    for place in places.values():
        make_deployment(releases[0], place, at=before)
    apply_pipeline(pipeline_text(1, count=1, is_auto=False), person=None, at=before)
    return Scene(service, releases, places, people)


@dataclass(slots=True)
class Promises:
    """What was seen until now, and what must hold of what is new."""

    scene: Scene
    far_side: FarSide
    approved: dict[tuple[int, int], tuple[datetime, str]] = field(default_factory=dict)
    """(promotion, person) → when and what they approved, not withdrawn since."""
    ended: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    last: int = 0

    def act(self, action: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """A refused act leaves no trace; decisions are remembered, to judge starts by."""
        before = AuditEntry.objects.count()
        try:
            result = action(*arguments, **named)
        except ThroughlineError:
            assert AuditEntry.objects.count() == before
            return None
        if isinstance(result, Approval):
            key = (result.promotion_id, result.person_id)
            self.approved.pop(key, None)
            if result.decision == Approval.Decision.APPROVE:
                self.approved[key] = (result.at, result.content_hash)
        return result

    def wake(self, run: StepRun, result: StepResult) -> None:
        """Who was taken over, or whose promotion ended, changes nothing."""
        now = StepRun.objects.values().get(pk=run.pk)
        is_held = now["token"] == run.token and now["state"] == StepRun.State.RUNNING
        before = (now, AuditEntry.objects.count(), Transition.objects.count())
        went_on = record_outcome(run, result, at=self.scene.now)
        if not is_held:
            assert not went_on
            now = StepRun.objects.values().get(pk=run.pk)
            assert before == (now, AuditEntry.objects.count(), Transition.objects.count())

    def check(self) -> None:
        """Everything."""
        self._one_runs()
        for move in Transition.objects.filter(pk__gt=self.last).order_by("pk"):
            self._move(move)
            self.last = move.pk
        self._final_is_final()
        self._effects()

    def _one_runs(self) -> None:
        running = Promotion.objects.filter(state="running").values("service", "environment")
        assert not running.annotate(count=Count("pk")).filter(count__gt=1).exists()

    def _move(self, move: Transition) -> None:
        before = self.states.get(move.promotion_id, State.PENDING.value)
        assert move.from_state == before
        assert may_move(State(before), State(move.to_state))
        self.states[move.promotion_id] = move.to_state
        acts = ACTS.get(State(move.to_state), {f"promotion.{move.to_state}"})
        told = AuditEntry.objects.filter(
            subject_type="promotion", subject_id=str(move.promotion_id), action__in=acts
        )
        assert told.count() == 1, (move, acts)
        if move.to_state == State.RUNNING:
            self._was_let(Promotion.objects.get(pk=move.promotion_id), move.at)
        if move.to_state == State.SUCCEEDED:
            self._is_whole(move.promotion_id)

    def _was_let(self, promotion: Promotion, at: datetime) -> None:
        """By enough valid approvals of exactly this content, unless the glass was broken for it."""
        assert not promotion.release.is_vetoed
        stage = promotion.pipeline_version.form.stage(promotion.stage)
        glass = BreakGlass.objects.filter(
            promotion=promotion, content_hash=promotion.content_hash, broken_at__lte=at
        )
        if promotion.kind == Promotion.Kind.ROLLBACK or not stage.approvals or glass.exists():
            return
        valid = [
            person
            for (number, person), (when, content) in self.approved.items()
            if number == promotion.pk
            and person != promotion.requested_by_id
            and content == promotion.content_hash
            and when <= at < when + EXPIRES
        ]
        assert len(valid) >= stage.approvals[0].count

    def _is_whole(self, number: int) -> None:
        """Every step's effect was done, or a person said so."""
        for run in StepRun.objects.filter(promotion=number, state=StepRun.State.SUCCEEDED):
            said = AuditEntry.objects.filter(
                subject_type="steprun", subject_id=str(run.pk), action="step.resolve", reason="done"
            )
            assert self.far_side.calls[run.effect_key] or said.exists()
        positions = StepRun.objects.filter(promotion=number).values("position").distinct().count()
        assert (
            positions
            == StepRun.objects.filter(promotion=number, state=StepRun.State.SUCCEEDED).count()
        )

    def _final_is_final(self) -> None:
        columns = ("state", "ended_at", "started_at", "content_hash", "reason", "next_look_at")
        rows = Promotion.objects.filter(state__in=[one.value for one in FINAL])
        for pk, *row in rows.values_list("pk", *columns):
            assert self.ended.setdefault(pk, tuple(row)) == tuple(row)
        assert len(self.ended) == rows.count()

    def _effects(self) -> None:
        """What may not be repeated was called once, and once more for each time a person had it repeated."""
        for run in StepRun.objects.filter(inputs__repeatable=False, attempt=1):
            again = StepRun.objects.filter(
                effect_key=run.effect_key, was_repeated_by__isnull=False
            ).count()
            assert self.far_side.calls[run.effect_key] <= 1 + again
