"""Where a far side stops until a test lets it go on: before it does what is asked, and before it answers."""

import threading
from dataclasses import dataclass, field

_PATIENCE_SECONDS = 90.0


class Bar:
    """Open it lets everybody through; closed it holds them until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._reached = threading.Event()

    def close(self) -> None:
        """Hold whoever comes from now on."""
        self._reached.clear()
        self._open.clear()

    def open(self) -> None:
        """Let those go on that are held, and whoever comes."""
        self._open.set()

    def has_been_reached(self) -> bool:
        """Has somebody come since it was closed?"""
        return self._reached.is_set()

    def pass_through(self) -> None:
        """Go on at once, or when it is opened."""
        self._reached.set()
        assert self._open.wait(_PATIENCE_SECONDS), "Nobody opened the bar."


@dataclass(slots=True)
class Moments:
    """The two bars of one far side."""

    before_doing: Bar = field(default_factory=Bar)
    before_answering: Bar = field(default_factory=Bar)

    def open_all(self) -> None:
        """Hold nobody any more."""
        self.before_doing.open()
        self.before_answering.open()
