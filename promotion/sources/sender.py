"""What all sources have in common: collecting facts, the delivery's id, authentication."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from promotion.exceptions import InputError

from .authentication import Scheme
from .base import Delivery, Fact, Headers, Normalised
from .cleaning import clean_link, clean_text, make_storable
from .reading import Part, read_elements

MOST_NOTES = 500  # whoever sends a million broken lines needs no million sentences


class Collector:
    """Gathers what one delivery becomes."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.notes: list[str] = []
        self._said: set[str] = set()
        self._is_full = False
        self.element = 1  # the number of the one being read, for notes

    def add(self, fact: Fact) -> None:
        """Keep a fact that can be found again; of any other only a note remains."""
        if fact.is_known_by_something:
            self.facts.append(replace(fact, url=clean_link(fact.url)))
        else:
            self.note(
                f"A {fact.kind} without an id, commit, digest, version or name cannot be told "
                "from others; it became nothing."
            )

    def note(self, sentence: str) -> None:
        """Say once why something became nothing."""
        kept = make_storable(sentence)
        if kept in self._said:
            return
        if len(self.notes) >= MOST_NOTES:
            self._is_full = True
            return
        self._said.add(kept)
        self.notes.append(kept)

    def take_over(self, notes: list[str]) -> None:
        """Keep the notes of whoever read the body."""
        for one in notes:
            self.note(one)

    def normalised(self) -> Normalised:
        """What the delivery became; of very many notes only the first."""
        notes = [*self.notes, "There were more notes; they were left out."]
        notes = notes if self._is_full else self.notes
        return Normalised(tuple(self.facts), tuple(notes))

    def leave_out(
        self, event: str | None, why: str = "it is not an event that becomes a fact"
    ) -> None:
        """Note an event that becomes nothing."""
        name = f"The event {event[:100]}" if event else "An event without a type"
        self.note(f"{name} became nothing: {why}.")


_LONGEST_ID = 200

Read = Callable[[Part, Headers, Collector], None]
Identify = Callable[[Part], str | None]


@dataclass(frozen=True, slots=True)
class Sender:
    """A source made of a reader of elements and a scheme of authentication."""

    kind: str
    title: str
    read: Read
    scheme: Scheme
    marks: tuple[str, ...] = ()
    delivery_headers: tuple[str, ...] = ()
    identify: Identify | None = None

    def normalise(self, delivery: Delivery) -> Normalised:
        """Turn a delivery into facts; InputError if its bytes cannot be read at all."""
        elements, notes = read_elements(delivery)
        collector = Collector()
        collector.take_over(notes)
        headers = Headers(delivery.headers)
        for number, element in elements:
            collector.element = number
            self.read(element, headers, collector)
        if not collector.facts and not collector.notes:
            collector.note("The body holds no event.")
        return collector.normalised()

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept the delivery if it fits one of the secrets, or raise AuthenticationError."""
        self.scheme.authenticate(delivery, secrets, now)

    def delivery_id(self, delivery: Delivery) -> str | None:
        """The sender's id of this delivery, the same when it is sent again; None if it gives none."""
        for name in self.delivery_headers:
            if value := clean_text(delivery.headers.get(name)):
                return _shorten(value)
        source, identity = (
            clean_text(delivery.headers.get("Ce-Source")),
            clean_text(delivery.headers.get("Ce-Id")),
        )
        if source and identity:  # a CloudEvent in binary mode
            return _shorten(f"{source}#{identity}")
        if self.identify is None:
            return None
        try:
            elements, _ = read_elements(delivery)
        except InputError:
            return None
        # Of a batch no single id speaks.
        named = self.identify(elements[0][1]) if len(elements) == 1 else None
        return _shorten(named) if named else None

    def is_guessed_from(self, delivery: Delivery) -> bool:
        """Whether the headers are those this tool sends."""
        return any(name in delivery.headers for name in self.marks)


def _shorten(identity: str) -> str:
    """An id that is longer than is kept counts by its hash."""
    if len(identity) <= _LONGEST_ID:
        return identity
    return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()
