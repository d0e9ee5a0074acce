"""Which release a stage promotes without being asked, and what holds that back.

Releases are given as their place in the order of newness: a greater number is newer.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class EndedPromotion:
    """A promotion into the stage that ended; `candidate` is the one when it was asked for."""

    release: int
    candidate: int | None
    succeeded: bool
    by_person: bool
    is_rollback: bool = False


@dataclass(frozen=True, slots=True)
class AutomaticStage:
    """What automatic promotion needs to know of one (service, stage).

    `tried` are the releases it has begun, `under_way` those of them that have not ended,
    `last_succeeded` the release last promoted there successfully, whoever asked.
    """

    available: frozenset[int] = frozenset()
    vetoed: frozenset[int] = frozenset()
    tried: frozenset[int] = frozenset()
    under_way: frozenset[int] = frozenset()
    last_succeeded: int | None = None
    held: bool = False

    def find_candidate(self) -> int | None:
        """The newest release that is available and not vetoed."""
        return find_candidate(self.available, self.vetoed)

    def choose(self) -> int | None:
        """The release to promote automatically now, if any."""
        candidate = self.find_candidate()
        if candidate is None or self.held or candidate in self.tried | self.under_way:
            return None
        if self.last_succeeded is not None and candidate <= self.last_succeeded:
            return None
        return candidate

    def make_available(self, releases: Collection[int]) -> "AutomaticStage":
        """Releases became available at one instant."""
        return replace(self, available=self.available | frozenset(releases))

    def veto(self, release: int) -> "AutomaticStage":
        """A release was vetoed: it is no candidate any more; a hold stays."""
        return replace(self, vetoed=self.vetoed | {release})

    def begin(self, release: int) -> "AutomaticStage":
        """Automatic promotion of the release began: its one try."""
        return replace(self, tried=self.tried | {release}, under_way=self.under_way | {release})

    def end(self, ended: EndedPromotion) -> "AutomaticStage":
        """A promotion ended; one that did not succeed leaves everything else as it was."""
        under_way = self.under_way
        if not ended.by_person and not ended.is_rollback:
            under_way = under_way - {ended.release}
        return replace(
            self,
            under_way=under_way,
            last_succeeded=ended.release if ended.succeeded else self.last_succeeded,
            held=judge_hold(ended, self.held),
        )

    def lift_hold(self) -> "AutomaticStage":
        """A person lifted the hold: the candidate may be tried again. Without a hold, nothing."""
        if not self.held:
            return self
        again = {self.find_candidate()} - self.under_way
        return replace(self, held=False, tried=self.tried - again)


def find_candidate(available: Collection[int], vetoed: Collection[int]) -> int | None:
    """The newest of the available releases that is not vetoed."""
    return max(set(available) - set(vetoed), default=None)


def judge_hold(ended: EndedPromotion, held: bool) -> bool:
    """Whether automatic promotion is held after a promotion ended, given whether it was before."""
    if not ended.succeeded:
        return held
    if ended.is_rollback:
        return True
    if not ended.by_person or ended.candidate is None:
        return held
    return ended.release != ended.candidate
