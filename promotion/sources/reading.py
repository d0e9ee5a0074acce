"""Gets at the parts of a payload without ever breaking on one that is not as expected."""

import json
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qs

from promotion.exceptions import InputError

from . import cleaning
from .base import Delivery
from .times import clean_time

# One for all: making one for each line costs more than reading it.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)
_MOST_NOTES = 1000  # more than a delivery keeps
_BYTE_ORDER_MARK = "\ufeff"


class Part:
    """A part of a payload; asking for what is not there gives an absent part, never an error."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __getitem__(self, path: "str | int | tuple[str | int, ...]") -> "Part":
        value = self.value
        for key in path if isinstance(path, tuple) else (path,):
            if isinstance(value, dict) and isinstance(key, str):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int):
                value = value[key] if -len(value) <= key < len(value) else None
            else:
                return Part(None)
        return Part(value)

    def __iter__(self) -> Iterator["Part"]:
        return iter([Part(one) for one in self.value] if isinstance(self.value, list) else [])

    def __len__(self) -> int:
        return len(self.value) if isinstance(self.value, list | dict) else 0

    def __bool__(self) -> bool:
        return self.value is not None

    def has(self, key: str) -> bool:
        """Whether it is an object with that key, whatever stands there."""
        return isinstance(self.value, dict) and key in self.value

    @property
    def is_object(self) -> bool:
        """Whether it is a JSON object."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a JSON array."""
        return isinstance(self.value, list)

    @property
    def is_true(self) -> bool:
        """Whether it is exactly true."""
        return self.value is True

    def names(self) -> list[str]:
        """The names of an object's fields, of those that can be kept."""
        fields = self.value if isinstance(self.value, dict) else {}
        return [name for name in fields if cleaning.make_storable(name) == name]

    def text(self) -> str | None:
        """Its text, cleaned."""
        return cleaning.clean_text(self.value)

    def exact(self) -> str | None:
        """Its text as sent."""
        return cleaning.clean_exact(self.value)

    def word(self) -> str:
        """Its text in small letters, for comparing; empty if absent."""
        return (self.text() or "").lower()

    def time(self) -> datetime | None:
        """The instant it says."""
        return clean_time(self.value)

    def commit(self) -> str | None:
        """The commit it says."""
        return cleaning.clean_commit(self.value)

    def digest(self) -> str | None:
        """The digest it says."""
        return cleaning.clean_digest(self.value)

    def version(self) -> str | None:
        """The version it says."""
        return cleaning.clean_version(self.value)

    def repository(self) -> str | None:
        """The repository it says."""
        return cleaning.clean_repository(self.value)

    def parsed(self) -> "Part":
        """What the JSON in a text says; the part itself if it is no text, absent if no JSON."""
        if not isinstance(self.value, str):
            return self
        try:
            return Part(_parse(self.value))
        except (ValueError, RecursionError):
            return Part(None)


def read_elements(delivery: Delivery) -> tuple[list[tuple[int, Part]], list[str]]:
    """The objects a body holds (one, a list, or one a line), each with its number, and notes.

    Raises InputError when the body as a whole cannot be read.
    """
    text, notes = _decode(delivery.body)
    text = _payload_of_form(delivery, text)
    if not text.strip():
        raise InputError("The body is empty; nothing was read.")
    values, unreadable = _read_values(text)
    notes += unreadable
    elements = []
    for number, value in values:
        if isinstance(value, dict):
            elements.append((number, Part(value)))
        elif len(notes) < _MOST_NOTES:
            notes.append(f"Element {number} is not a JSON object; it was left out.")
    return elements, notes


def _decode(body: bytes) -> tuple[str, list[str]]:
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding).removeprefix(_BYTE_ORDER_MARK), []
    except UnicodeDecodeError:
        text = body.decode(encoding, "replace").removeprefix(_BYTE_ORDER_MARK)
        return text, ["Some bytes are not UTF-8; they were read as unknown characters."]


def _payload_of_form(delivery: Delivery, text: str) -> str:
    """Senders that post a form put the JSON into its field `payload`."""
    is_form = delivery.content_type.lower().startswith("application/x-www-form-urlencoded")
    if not is_form and not text.startswith("payload="):
        return text
    try:
        values = parse_qs(text, max_num_fields=100).get("payload")
    except ValueError as error:
        raise InputError(f"The form cannot be read ({error}); nothing was read.") from None
    if values:
        return values[0].removeprefix(_BYTE_ORDER_MARK)
    return text


def _parse(text: str) -> object:
    value: object = _DECODER.decode(text)
    return value


def _read_values(text: str) -> tuple[list[tuple[int, object]], list[str]]:
    try:
        value = _parse(text)
    except RecursionError:
        raise InputError("The JSON is nested too deep; nothing was read.") from None
    except ValueError as error:
        values, notes = _read_lines(text)
        if not values:
            raise InputError(f"The body is not JSON ({error}); nothing was read.") from None
        return values, notes
    return list(enumerate(value if isinstance(value, list) else [value], start=1)), []


def _read_lines(text: str) -> tuple[list[tuple[int, object]], list[str]]:
    """Newline-delimited JSON: a line that cannot be read costs only itself."""
    values: list[tuple[int, object]] = []
    notes: list[str] = []
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) < 2:
        return [], []
    for number, line in lines:
        try:
            values.append((number, _parse(line)))
        except (ValueError, RecursionError):
            if len(notes) < _MOST_NOTES:
                notes.append(f"Line {number} is not JSON; it was left out.")
    # A broken document over several lines has lines that are JSON by chance, such as `}` or `3`.
    return (values if any(isinstance(value, dict) for _, value in values) else []), notes
