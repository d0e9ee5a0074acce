"""Why a promotion stands where it stands, when it can go, and what would unblock it; nothing is changed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from promotion.formats import format_moment
from promotion.gates.approval import ApprovalFacts, approval_facts
from promotion.gates.known import GATES
from promotion.models import GateResult, Promotion, StepRun
from promotion.rules.deciding import Decision, Move, decide
from promotion.rules.states import State

from .evaluate import answers_of
from .lane import list_those_ahead, say_turn, say_veto
from .retry import MAY_BE_RETRIED


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the gates last said, the move that follows from it, and sentences on what would help.

    `decision` and `approval` are None once the promotion has started or ended: then nothing is
    decided any more. `earliest` is None where it is not known.
    """

    promotion: Promotion
    results: tuple[GateResult, ...]
    decision: Decision | None
    approval: ApprovalFacts | None
    ahead: tuple[str, ...]
    steps: tuple[StepRun, ...]
    unblocking: tuple[str, ...]

    @property
    def can_go(self) -> bool:
        """It would start now."""
        return self.decision is not None and self.decision.move is Move.START

    @property
    def earliest(self) -> datetime | None:
        """When it can go."""
        return self.decision.earliest if self.decision else None

    @property
    def reason(self) -> str:
        """Why it stands where it stands, in a sentence."""
        return self.decision.reason if self.decision else self.promotion.reason


def explain_promotion(promotion: Promotion, *, at: datetime) -> Explanation:
    """By the results on record, so that it says what the engine decides on; each says when it was measured."""
    results = tuple(promotion.gate_results.all())
    steps = tuple(promotion.step_runs.in_order())
    if promotion.state != State.WAITING:
        sentences = tuple(_after_start(promotion, steps))
        return Explanation(promotion, results, None, None, (), steps, sentences)
    ahead = list_those_ahead(promotion)
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    holds = stage.mode == "enforce"
    decision = decide(
        answers_of(list(results)),
        holds=holds,
        expires_at=promotion.expires_at,
        not_before=promotion.not_before,
        turn=say_veto(promotion.release) or say_turn(ahead),
        now=at,
    )
    if not results:
        decision = Decision(Move.WAIT, "Its gates have not been asked yet.", None, at)
    sentences = tuple(_while_waiting(promotion, results if holds else (), ahead, at))
    if not results:
        sentences += ("Its gates have not been asked yet; that happens within seconds.",)
    return Explanation(
        promotion, results, decision, approval_facts(promotion, at), ahead, steps, sentences
    )


def _while_waiting(
    promotion: Promotion, results: tuple[GateResult, ...], ahead: tuple[str, ...], at: datetime
) -> list[str]:
    said = []
    for result in results:
        if not result.is_required or result.verdict == GateResult.Verdict.OPEN:
            continue
        title = GATES[result.gate].title if result.gate in GATES else result.gate
        then = ""
        if result.earliest and result.earliest > at:
            then = f" It opens by itself at {_moment(result.earliest)}."
        elif result.verdict == GateResult.Verdict.CLOSED:
            then = " It does not open by itself: somebody has to change that."
        said.append(f"{title}: {result.reason}{then}")
    if promotion.not_before and at < promotion.not_before:
        said.append(
            f"It was asked for not before {_moment(promotion.not_before)} and goes on by itself then."
        )
    if ahead:
        said.append(f"It waits behind {', '.join(ahead)}; that has to end first.")
    return said


def _after_start(promotion: Promotion, steps: tuple[StepRun, ...]) -> list[str]:
    if promotion.state == State.RUNNING:
        return [
            f"What became of the step {one.kind} is not known: a release manager has to say whether"
            " it was done, is to be repeated, or is given up."
            for one in steps
            if one.state == StepRun.State.UNKNOWN
        ]
    if promotion.state in MAY_BE_RETRIED:
        return [f"It has ended and is {promotion.state}. It may be tried again: a new promotion."]
    if promotion.state in {State.REJECTED.value, State.SUPERSEDED.value}:
        return [f"It has ended and is {promotion.state}. The release can be asked for again."]
    return []


def _moment(at: datetime) -> str:
    return format_moment(at.astimezone(UTC))
