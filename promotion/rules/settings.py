"""Reading the settings of gates and steps: one set, or one for each target; and what is wrong with them."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from promotion.exceptions import InputError
from promotion.rules.durations import parse_duration

Problem = tuple[str, str]


def sets_of(inputs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The settings, one set for each target where they name {target} (with `target` in it)."""
    each = inputs.get("per_target")
    return list(each) if isinstance(each, list) else [inputs]


def targets_of(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The targets that the settings are for, none where they are the same for all."""
    return tuple(str(one["target"]) for one in sets_of(inputs) if "target" in one)


def unknown_keys(
    kind: str, settings: Mapping[str, Any], known: Collection[str], *, what: str = "step"
) -> Iterator[Problem]:
    """A problem for each setting that the kind of step (or gate) does not have."""
    for key in settings:
        if key not in known:
            yield key, f"The {what} {kind} has no setting {key}; it has {', '.join(known)}."


def need_text(settings: Mapping[str, Any], key: str, *, what: str) -> Iterator[Problem]:
    """A problem unless there is a text; `what` says in words what it must be."""
    value = settings.get(key)
    if not isinstance(value, str) or not value.strip():
        yield key, f"{key} must be {what}."


def check_text(settings: Mapping[str, Any], key: str, *, what: str) -> Iterator[Problem]:
    """A problem where there is something else than a text."""
    if settings.get(key) is not None:
        yield from need_text(settings, key, what=what)


def check_flag(settings: Mapping[str, Any], key: str) -> Iterator[Problem]:
    """A problem where there is something else than true or false."""
    if not isinstance(settings.get(key, True), bool):
        yield key, f"{key} must be true or false."


def check_duration(settings: Mapping[str, Any], key: str) -> Iterator[Problem]:
    """A problem where there is something else than a length of time above zero."""
    if settings.get(key) is None:
        return
    try:
        if parse_duration(str(settings[key])) <= timedelta(0):
            yield key, f"{key} must be longer than nothing."
    except InputError as error:
        yield key, error.sentence


def check_statuses(settings: Mapping[str, Any], key: str = "expect") -> Iterator[Problem]:
    """A problem where there is something else than a list of HTTP statuses."""
    value = settings.get(key)
    if value is not None and not (
        isinstance(value, list | tuple)
        and value
        and all(
            isinstance(one, int) and not isinstance(one, bool) and 100 <= one <= 599
            for one in value
        )
    ):
        yield key, f"{key} must be a list of HTTP statuses, such as [200, 204]."


def check_url(settings: Mapping[str, Any], key: str = "url") -> Iterator[Problem]:
    """A problem where there is something else than an address of HTTP, without credentials."""
    value = settings.get(key)
    if value is None:
        return
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        yield key, f"{key} must begin with https:// or http://."
    elif "@" in value.split("/")[2]:
        yield key, f"{key} must hold no credentials; keep them in a connection."
