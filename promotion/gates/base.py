"""What a gate is: a function of (promotion, now) that answers open, waiting or closed, with a reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from promotion.models import GateResult, Promotion
from promotion.rules.pipeline import PipelineForm, StageForm

Verdict = GateResult.Verdict


@dataclass(frozen=True, slots=True)
class GateContext:
    """What a gate may look at. `at` is now, in UTC."""

    promotion: Promotion
    form: PipelineForm
    stage: StageForm
    settings: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """One answer.

    `reason` is a sentence. `evidence` are (label, url) pairs of our own pages or outside ones.
    `earliest` is when the gate could open by itself, None where that is unknown.
    `fresh_for` is how long the answer may be used; `look_again_in` is when asking again may help
    though nothing of ours changes (an outside system was out of reach).
    """

    verdict: GateResult.Verdict
    reason: str
    evidence: tuple[tuple[str, str], ...] = ()
    earliest: datetime | None = None
    fresh_for: timedelta = timedelta(minutes=2)
    look_again_in: timedelta | None = None
    people: tuple[str, ...] = ()
    """User names of those whose act would move the gate: they find the promotion in their inbox."""
    lacking: tuple[str, ...] = ()
    """Of the approval gate: the names of the rules that are not met."""


class Gate(Protocol):
    """One kind of gate; stateless."""

    kind: str
    title: str
    is_costly: bool
    """True where a fresh stored answer is used again instead of asking anew."""

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """(key, sentence) for each thing wrong with the settings in a pipeline."""
        ...

    def evaluate(self, context: GateContext) -> GateOutcome:
        """The answer now. Runs with no transaction open and changes nothing.

        Raises ThroughlineError where the answer cannot be had; the gate then counts as waiting
        when that is retryable and as closed when it is not.
        """
        ...


@dataclass(frozen=True, slots=True)
class AskedGate:
    """A gate as a stage asks for it."""

    position: int
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_required: bool = True
