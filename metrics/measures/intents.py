"""Intents: a release asked for in an environment, and its attempts."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from metrics.measures.base import PromotionFact
from metrics.measures.history import History


@dataclass(frozen=True, slots=True)
class Intent:
    """One (release, environment) asked for, and the promotions that started for it."""

    service: str
    environment: str
    release: str
    attempts: tuple[PromotionFact, ...]

    @property
    def first(self) -> PromotionFact:
        """Attempt 1."""
        return self.attempts[0]

    @property
    def has_succeeded(self) -> bool:
        """Whether any attempt succeeded."""
        return any(attempt.state == "succeeded" for attempt in self.attempts)


class _Successes:
    """Successful deployments in a place, in order of finish, by runs of equal digest."""

    def __init__(self, history: History) -> None:
        self._ends: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        self._digests: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._changes: dict[tuple[str, str], list[int]] = defaultdict(list)
        runs = [run for each in history.executions for run in each.runs if run.succeeded]
        for run in sorted(runs, key=lambda run: (run.finished_at, run.started_at, run.id)):
            place = (run.service, run.environment)
            digests = self._digests[place]
            same = bool(digests) and digests[-1] == run.digest
            self._changes[place].append(self._changes[place][-1] if same else len(digests))
            self._ends[place].append(run.finished_at)
            digests.append(run.digest)

    def had_another(self, promotion: PromotionFact, after: datetime, until: datetime) -> bool:
        """Whether another digest was deployed there successfully in (after, until]."""
        place = (promotion.service, promotion.to)
        ends = self._ends.get(place, [])
        index = bisect_right(ends, until) - 1
        while index >= 0 and ends[index] > after:
            if not promotion.covers(self._digests[place][index]):
                return True
            index = self._changes[place][index] - 1
        return False


def find_intents(history: History) -> tuple[Intent, ...]:
    """All intents with at least one attempt, as known; rollbacks are none.

    A promotion is the next attempt of its release there, or a new intent when another
    digest was deployed there since the last attempt was asked for, or, after success
    without that, neither.
    """
    asked: dict[tuple[str, str, str], list[PromotionFact]] = defaultdict(list)
    for promotion in history.knowledge.promotions.values():
        if promotion.kind != "rollback" and promotion.started_at is not None:
            release = promotion.release or history.knowledge.release_for(
                promotion.service, promotion.digest
            )
            asked[promotion.service, promotion.to, release].append(promotion)
    successes = _Successes(history)
    intents = []
    for (service, environment, release), promotions in sorted(asked.items()):
        promotions.sort(key=lambda each: (each.asked_at, each.started_at, each.id))
        groups: list[list[PromotionFact]] = []
        for promotion in promotions:
            if groups and not successes.had_another(
                promotion, groups[-1][-1].asked_at, promotion.asked_at
            ):
                if all(attempt.state != "succeeded" for attempt in groups[-1]):
                    groups[-1].append(promotion)
                continue
            groups.append([promotion])
        intents += [Intent(service, environment, release, tuple(group)) for group in groups]
    return tuple(intents)
