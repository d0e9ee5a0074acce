"""What a waiting promotion does next, given what its gates said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Something that opens a gate normally tells us; this catches what did not.
LOOK_AGAIN_ANYWAY = timedelta(hours=1)


class Move(StrEnum):
    """The three things a waiting promotion can do."""

    START = "start"
    WAIT = "wait"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What one gate said: verdict is open, waiting or closed."""

    gate: str
    is_required: bool
    verdict: str
    reason: str
    earliest: datetime | None
    fresh_until: datetime
    look_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The move, why, when it can go (None = unknown) and when to look again."""

    move: Move
    reason: str
    earliest: datetime | None
    look_at: datetime


def decide(
    answers: Sequence[GateAnswer],
    *,
    holds: bool,
    expires_at: datetime,
    not_before: datetime | None,
    turn: str | None,
    now: datetime,
) -> Decision:
    """Start, wait or expire.

    `holds` is false under `mode: observe`, where gates are recorded and hold nothing. `turn` says,
    in a sentence, whom the promotion waits behind; None when it is its turn.
    """
    if expires_at <= now:
        return Decision(Move.EXPIRE, "Nobody decided in time.", None, now)
    holding = [answer for answer in answers if answer.is_required and answer.verdict != "open"]
    stale = [a for a in answers if a.is_required and a.fresh_until <= now] if holds else []
    earliest = earliest_start(holding if holds else [], not_before=not_before, now=now)
    if not_before and now < not_before:
        reason = "It was asked for a later time."
    elif holds and holding:
        reason = holding[0].reason
    elif turn:
        reason, earliest = turn, None
    elif stale:
        reason = f"The answer of {stale[0].gate} is too old to start on."
    else:
        return Decision(Move.START, started_because(answers, holds=holds), now, now)
    return Decision(Move.WAIT, reason, earliest, _next_look(answers, earliest, expires_at, now))


def earliest_start(
    holding: Sequence[GateAnswer], *, not_before: datetime | None, now: datetime
) -> datetime | None:
    """The latest of the holding gates' earliest; unknown if one is unknown."""
    times = [answer.earliest for answer in holding]
    if any(time is None for time in times):
        return None
    return max([now, *(time for time in times if time), *([not_before] if not_before else [])])


def started_because(answers: Sequence[GateAnswer], *, holds: bool) -> str:
    """One sentence for the transition, naming what would have been in the way."""
    would = [answer.gate for answer in answers if answer.is_required and answer.verdict != "open"]
    if not holds and would:
        return f"The stage only observes; it would have been stopped by {', '.join(would)}."
    return "Every required gate is open." if answers else "No gate is asked for."


def _next_look(
    answers: Sequence[GateAnswer], earliest: datetime | None, expires_at: datetime, now: datetime
) -> datetime:
    times = [expires_at, now + LOOK_AGAIN_ANYWAY]
    times += [answer.look_again_at for answer in answers if answer.look_again_at]
    times += [answer.earliest for answer in answers if answer.earliest and answer.verdict != "open"]
    if earliest:
        times.append(earliest)
    later = [time for time in times if time > now]
    return min(later) if later else now + timedelta(seconds=30)
