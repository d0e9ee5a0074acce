"""Is a release ready for its next environment: one verdict from what every gate said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

APPROVAL = "approval"


class Ready(StrEnum):
    """The answers: nothing but a decision is missing, something may still come, something must change."""

    READY = "ready"
    NOT_YET = "not yet"
    NOT_READY = "not ready"


@dataclass(frozen=True, slots=True)
class GateSaid:
    """What one gate said: verdict is open, waiting or closed.

    `is_passed` where an exception or a broken glass opened it.
    """

    gate: str
    title: str
    is_required: bool
    verdict: str
    reason: str
    is_passed: bool = False


@dataclass(frozen=True, slots=True)
class Readiness:
    """The verdict and why, in a sentence."""

    verdict: Ready
    reason: str


def judge_readiness(gates: Sequence[GateSaid]) -> Readiness:
    """Ready when every required gate but the approval is open: deciding is what it is for.

    A closed gate weighs more than a waiting one. Advisory gates are named and hold nothing.
    """
    asked = [gate for gate in gates if gate.is_required and gate.gate != APPROVAL]
    closed = [gate for gate in asked if gate.verdict == "closed"]
    if closed:
        return Readiness(Ready.NOT_READY, _say(closed))
    waiting = [gate for gate in asked if gate.verdict != "open"]
    if waiting:
        return Readiness(Ready.NOT_YET, _say(waiting))
    passed = [gate.title for gate in asked if gate.is_passed]
    warned = [gate.title for gate in gates if not gate.is_required and gate.verdict != "open"]
    reason = "Every required gate is open." if asked else "No gate but approval is asked for."
    if passed:
        reason += f" Let past: {', '.join(passed)}."
    if warned:
        reason += f" Advisory, and not open: {', '.join(warned)}."
    return Readiness(Ready.READY, reason)


def _say(gates: Sequence[GateSaid]) -> str:
    return " ".join(f"{gate.title}: {gate.reason}" for gate in gates)
