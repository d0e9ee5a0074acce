"""The step pause: waits a time, or for a person who says it may go on."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from promotion.formats import format_span
from promotion.rules.durations import parse_duration
from promotion.rules.pipeline.parts import ROLES
from promotion.rules.settings import Problem, check_duration, unknown_keys

from .base import Outcome, StepContext, StepResult

LOOK_AT_LEAST_EVERY = timedelta(seconds=30)
DEFAULT_FROM = ("role:release manager",)
_ENTRY = re.compile(r"(role|group|team|user):\s*(\S.*)")


class PauseStep:
    """Waits after the steps before it; no worker is held meanwhile."""

    kind = "pause"
    title = "Pause"
    default_timeout: timedelta | None = None
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """Either `for` or `person: true` is needed; `from` names who may let it go on."""
        yield from unknown_keys(self.kind, settings, ("for", "person", "from"))
        person = settings.get("person")
        if person is not None and person is not True:
            yield "person", "person must be true, or left out."
        if (settings.get("for") is None) == (person is None):
            yield (
                "for",
                "Either for says how long to wait, such as 30m, or person: true waits for a person.",
            )
        yield from check_duration(settings, "for")
        if settings.get("from") is not None:
            if person is None:
                yield "from", "from names who may let it go on; it needs person: true."
            yield from _people_problems(settings["from"])

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'For 30m', or 'Until somebody lets it go on'."""
        return (
            "Until somebody lets it go on"
            if waits_for_person(inputs)
            else f"For {inputs.get('for', '')}"
        )

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: waiting changes nothing."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Waits until the time since the step began is over, or a person has let it go on."""
        if waits_for_person(context.inputs):
            return _wait_for_person(context)
        length = parse_duration(str(context.inputs["for"]))
        ends = context.begun_at + length
        if context.at >= ends:
            return StepResult(Outcome.SUCCEEDED, f"Waited {format_span(length)}.")
        left = ends - context.at
        return StepResult(
            Outcome.WAITING,
            f"Waits until {ends:%Y-%m-%d %H:%M:%S} UTC.",
            {"ends_at": ends.isoformat()},
            # Looked at now and then, so that a stop asked for meanwhile is seen.
            look_again_in=min(left, LOOK_AT_LEAST_EVERY),
            progress=(context.at - context.begun_at) / length,
        )

    def look(self, context: StepContext) -> StepResult:
        """The same: the clock or the record decides."""
        return self.start(context)


def waits_for_person(inputs: Mapping[str, Any]) -> bool:
    """Does it wait for a person, rather than a time?"""
    return inputs.get("person") is True


def who_may_go_on(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Who may let it go on, as approval rules write people: role:R, group:G, team:T:R, user:U."""
    return tuple(
        text if ":" in text else f"group:{text}"
        for text in (
            re.sub(r"\s*:\s*", ":", str(one).strip()) for one in inputs.get("from") or DEFAULT_FROM
        )
    )


def _wait_for_person(context: StepContext) -> StepResult:
    person = context.step_run.gone_on_by
    if person is not None:
        return StepResult(
            Outcome.SUCCEEDED, f"{person.name} let it go on.", {"by": person.get_username()}
        )
    who = " or ".join(one.partition(":")[2] for one in who_may_go_on(context.inputs))
    return StepResult(
        Outcome.WAITING,
        f"Waits until somebody lets it go on: {who}.",
        look_again_in=LOOK_AT_LEAST_EVERY,
    )


def _people_problems(people: Any) -> Iterator[Problem]:
    if (
        not isinstance(people, Sequence)
        or isinstance(people, str)
        or not people
        or not all(isinstance(one, str) and one.strip() for one in people)
    ):
        yield "from", 'from must be a list of people, such as ["role:release manager"].'
        return
    for one in people:
        match = _ENTRY.fullmatch(one.strip()) if ":" in one else None
        if ":" in one and match is None:
            yield (
                "from",
                f'"{one}" names nobody; write role:ROLE, group:NAME, team:TEAM:ROLE or user:NAME.',
            )
        elif (
            match
            and match[1] in {"role", "team"}
            and match[2].rpartition(":")[2].strip() not in ROLES
        ):
            yield "from", f'"{one}" names no role; there are {", ".join(ROLES)}.'
