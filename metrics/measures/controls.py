"""Compliance by control: how a promotion that started stood to each required control of its stage.

Definition: measures v1, "Also": the stage's controls, met before the promotion started.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MET, EXCEPTED, GLASS, MISSED = "met", "excepted", "glass", "missed"
WORST_FIRST = (MISSED, GLASS, EXCEPTED, MET)


@dataclass(frozen=True, slots=True)
class Asked:
    """A required control."""

    control: str


@dataclass(frozen=True, slots=True)
class Got:
    """What a required gate last said: open or not, when, and whether something let it past."""

    control: str
    is_open: bool
    measured_at: datetime
    is_excepted: bool = False
    is_glass: bool = False


def judge_each(
    asked: Sequence[Asked], got: Sequence[Got], started_at: datetime
) -> tuple[tuple[str, str], ...]:
    """Each control once, with its worst outcome: missed, glass, excepted, met.

    A result measured after the start is none; a control without one is missed.
    """
    outcomes: dict[str, list[str]] = {each.control: [] for each in asked}
    for each in got:
        outcomes.setdefault(each.control, []).append(_judge(each, started_at))
    for control in outcomes:
        found = outcomes[control]
        if len(found) < sum(each.control == control for each in asked):
            found.append(MISSED)
    return tuple(
        (control, min(found, key=WORST_FIRST.index)) for control, found in outcomes.items()
    )


def _judge(got: Got, started_at: datetime) -> str:
    if not got.is_open or got.measured_at > started_at:
        return MISSED
    if got.is_glass:
        return GLASS
    return EXCEPTED if got.is_excepted else MET
