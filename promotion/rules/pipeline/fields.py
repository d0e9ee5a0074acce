"""Reads the fields of one mapping: the type asked for, or a problem and the default."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TypeVar

from promotion.exceptions import InputError
from promotion.rules.durations import parse_duration

from .problems import Problem, suggest
from .tree import Place, join_key

LONGEST_TEXT = 2000
LONGEST_DURATION = timedelta(days=3660)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
NAME_RULE = "letters, digits, dots, dashes and underscores, at most 100"

Read = TypeVar("Read")


class Problems:
    """Collects problems, reading goes on after each; and the line of every key it is shown."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.lines: dict[str, int] = {}

    def note_lines(self, place: Place) -> None:
        """Keep the line of a place and of everything in it."""
        self.lines[place.key] = place.line
        value = place.value
        for entry in (
            value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
        ):
            self.note_lines(entry)

    def add(self, place: Place, sentence: str, *, name: str = "") -> None:
        """Note what is wrong at a place, or at the entry of that name in it."""
        key = join_key(place.key, name) if name else place.key
        self.found.append(Problem(place.line, key, sentence))


def write_duration(length: timedelta) -> str:
    """A time of whole seconds exactly as parse_duration reads it back."""
    parts: list[str] = []
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, seconds = divmod(seconds, size)
        parts += [f"{amount}{unit}"] if amount else []
    return "".join(parts) or "0s"


def describe(place: Place) -> str:
    """What a value is, in words for a sentence."""
    value = place.value
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    shown = str(value)
    return f'"{shown[:60]}{"…" if len(shown) > 60 else ""}"'


class Fields:
    """The entries of one mapping; `what` names it in sentences, `known` are all its keys.

    Without `known` any key may be there.
    """

    def __init__(
        self, place: Place, problems: Problems, what: str, known: tuple[str, ...] | None = None
    ) -> None:
        self.place = place
        self.problems = problems
        self.entries: Mapping[str, Place] = {}
        if not isinstance(place.value, dict):
            problems.add(
                place,
                f"{what[0].upper()}{what[1:]} must be a mapping of keys, not {describe(place)}.",
            )
            return
        self.entries = place.value
        for name, entry in place.value.items():
            if known is not None and name not in known:
                problems.add(entry, f'"{name}" is not a key of {what}{suggest(name, known)}')

    def has(self, name: str) -> bool:
        """True where something other than nothing was written."""
        return name in self.entries and self.entries[name].value is not None

    def problem(self, name: str, sentence: str) -> None:
        """Note what is wrong with an entry."""
        if name in self.entries:
            self.problems.add(self.entries[name], sentence)
        else:
            self.problems.add(self.place, sentence, name=name)

    def read(self, name: str, default: Read, reading: Callable[[Place], Read | None]) -> Read:
        """What `reading` makes of an entry; the default without one or where it found a problem."""
        if not self.has(name):
            return default
        read = reading(self.entries[name])
        return default if read is None else read

    def optional_text(self, name: str) -> str | None:
        """A text, None where none was written."""
        return self.read(name, None, self._text)

    def text(self, name: str, default: str) -> str:
        """A text."""
        return self.read(name, default, self._text)

    def name(self, name: str) -> str:
        """A name that must be there; empty after a problem."""
        if not self.has(name):
            self.problem(name, f"{name} is missing.")
            return ""
        return self.read(name, "", self._name)

    def names(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of names, none of them twice."""
        return self._unique(
            name, self.read(name, default, lambda place: self._each(place, self._name))
        )

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts, none of them twice."""
        return self._unique(
            name, self.read(name, default, lambda place: self._each(place, self._text))
        )

    def choice(self, name: str, default: Read, choices: Iterable[Read]) -> Read:
        """One of the given words."""
        known = tuple(choices)

        def read_choice(place: Place) -> Read | None:
            found = next((word for word in known if word == place.value), None)
            if found is None:
                words = ", ".join(map(str, known))
                self.problems.add(place, f"This must be one of {words}, not {describe(place)}.")
            return found

        return self.read(name, default, read_choice)

    def choices(
        self, name: str, default: tuple[str, ...], choices: Iterable[str]
    ) -> tuple[str, ...]:
        """A list of the given words, none of them twice."""
        known = tuple(choices)
        read = self.texts(name, default)
        for at, word in enumerate(read):
            if word not in known:
                place = self._item(name, at)
                self.problems.add(place, f'"{word}" is not known in {name}{suggest(word, known)}')
        return read

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""

        def read_flag(place: Place) -> bool | None:
            if isinstance(place.value, bool):
                return place.value
            self.problems.add(place, f"This must be true or false, not {describe(place)}.")
            return None

        return self.read(name, default, read_flag)

    def count(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number within limits, both included."""

        def read_count(place: Place) -> int | None:
            value = place.value
            if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
                return value
            limits = f"a whole number from {least} to {most}"
            self.problems.add(place, f"This must be {limits}, not {describe(place)}.")
            return None

        return self.read(name, default, read_count)

    def duration(self, name: str) -> timedelta | None:
        """A time like 90s, 30m, 24h or 7d, longer than nothing."""
        return self.read(name, None, self._duration)

    def items(self, name: str) -> tuple[Place, ...]:
        """The entries of a list."""
        return self.read(name, (), self._list)

    def _list(self, place: Place) -> tuple[Place, ...] | None:
        if isinstance(place.value, tuple):
            return place.value
        self.problems.add(place, f"This must be a list ([a, b]), not {describe(place)}.")
        return None

    def _each(self, place: Place, reading: Callable[[Place], str | None]) -> tuple[str, ...] | None:
        items = self._list(place)
        if items is None:
            return None
        read = [reading(item) for item in items]
        return None if None in read else tuple(word for word in read if word is not None)

    def _unique(self, name: str, words: tuple[str, ...]) -> tuple[str, ...]:
        for at, word in enumerate(words):
            if word in words[:at]:
                self.problems.add(
                    self._item(name, at), f'"{word}" stands in {name} twice; keep one.'
                )
        return words

    def _item(self, name: str, at: int) -> Place:
        items = self.entries[name].value if name in self.entries else ()
        return items[at] if isinstance(items, tuple) and at < len(items) else self.place

    def _text(self, place: Place) -> str | None:
        value = place.value
        if isinstance(value, str) and value.strip() and len(value) <= LONGEST_TEXT:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.problems.add(place, f"This must be text; put {value} in quotes.")
        elif isinstance(value, str) and value.strip():
            self.problems.add(place, f"The text is longer than {LONGEST_TEXT} characters.")
        else:
            found = "empty text" if isinstance(value, str) else describe(place)
            self.problems.add(place, f"This must be text, not {found}.")
        return None

    def _name(self, place: Place) -> str | None:
        text = self._text(place)
        if text is None or NAME.fullmatch(text):
            return text
        self.problems.add(place, f"{describe(place)} is no name: {NAME_RULE}.")
        return None

    def _duration(self, place: Place) -> timedelta | None:
        if not isinstance(place.value, str):
            self.problems.add(
                place, f"This must be a time like 30m, 24h or 7d, not {describe(place)}."
            )
            return None
        try:
            duration = parse_duration(place.value)
        except InputError as error:
            self.problems.add(place, error.sentence)
            return None
        if not timedelta(0) < duration <= LONGEST_DURATION:
            self.problems.add(place, "The time must be longer than nothing and at most ten years.")
            return None
        return duration
