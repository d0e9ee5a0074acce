"""What a step is: one thing done during a promotion, with one effect however often it is tried."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from promotion.models import Promotion, StepRun


class Outcome(StrEnum):
    """What came of looking at a step once."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The far side or a check said no: the change was bad."""
    ERRORED = "errored"
    """We or a system we call broke."""
    WAITING = "waiting"
    """Started; look again later. No worker is held meanwhile."""
    UNKNOWN = "unknown"
    """It may or may not have happened, and repeating is not safe: a person decides."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may use.

    `inputs` are the settings with all names filled in. `key` is the same for every attempt at this
    effect: the far side can refuse a repeat by it. `begun_at` is when this attempt began, `deadline`
    when it times out (None = never). `state` is what the last look left in its result's `output`.
    `report(progress 0..1 or None, message)` shows progress and renews the lease; it raises
    LostLeaseError where another worker has taken over: stop then. `should_stop()` is true when a
    person asked to stop.
    """

    promotion: Promotion
    step_run: StepRun
    inputs: Mapping[str, Any]
    key: str
    at: datetime
    begun_at: datetime
    deadline: datetime | None
    state: Mapping[str, Any]
    report: Callable[[float | None, str], None]
    should_stop: Callable[[], bool]


class Looking(Protocol):
    """As much of a context as a verification uses, so that what runs can be verified without a promotion."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The settings with all names filled in."""
        ...

    @property
    def at(self) -> datetime:
        """Now."""
        ...

    @property
    def begun_at(self) -> datetime:
        """When it began."""
        ...

    @property
    def state(self) -> Mapping[str, Any]:
        """What the last look left."""
        ...


@dataclass(frozen=True, slots=True)
class VerificationLook:
    """One look at a verification of what runs already."""

    inputs: Mapping[str, Any]
    at: datetime
    begun_at: datetime
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of it: a sentence, and what is kept for the next look or the record (JSON, no secrets)."""

    outcome: Outcome
    message: str
    output: Mapping[str, Any] = field(default_factory=dict)
    look_again_in: timedelta | None = None
    progress: float | None = None


class Step(Protocol):
    """One kind of step; stateless."""

    kind: str
    title: str
    default_timeout: timedelta | None
    is_verification: bool
    """True where success or failure is recorded as a verification of the release there."""

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """(key, sentence) for each thing wrong with the settings in a pipeline."""
        ...

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """What it does, in a phrase for the page: '2 images to registry-prod'."""
        ...

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """True where doing it twice under one key has one effect."""
        ...

    def start(self, context: StepContext) -> StepResult:
        """Does it, or starts it. ThroughlineError is recorded as errored; retryable ones are tried again."""
        ...

    def look(self, context: StepContext) -> StepResult:
        """Looks again at a step that answered WAITING; reads `context.state`."""
        ...


class Verifying(Step, Protocol):
    """A step that only verifies: it reads, and needs no promotion for it."""

    def start(self, context: Looking) -> StepResult:
        """The first try."""
        ...

    def look(self, context: Looking) -> StepResult:
        """One try more."""
        ...
