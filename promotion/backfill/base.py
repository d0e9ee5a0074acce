"""What a listing is: pages of deliveries, and a cursor from which it goes on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from promotion.sources.base import Delivery

from .fetching import Fetcher

Cursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer of a list held, as deliveries; and from where to go on after them."""

    deliveries: tuple[Delivery, ...] = ()
    cursor: Cursor = field(default_factory=dict)
    is_last: bool = False


class Lister(Protocol):
    """Lists what happened to `what`, from a cursor on; the same cursor gives the same pages again."""

    def __call__(
        self, fetch: Fetcher, what: str, cursor: Cursor, since: datetime | None
    ) -> Iterator[Page]:
        """Raises UnreachableError and RefusedError of fetching, InputError for a bad `what`."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """A tool whose lists can be read: its source, how it is signed in to, and what it lists."""

    kind: str
    what: str  # in words, for the command's help
    sign_in: Callable[[str, str], Mapping[str, str]]  # user name, secret → headers
    listers: Mapping[str, Lister]
