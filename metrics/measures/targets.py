"""The history of one target: what ran there, what failed there, and what is going back."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from metrics.measures.base import PromotionFact

DECLARED = frozenset(("rollback", "hotfix", "roll_forward"))


@dataclass(frozen=True, slots=True)
class Run:
    """An ended deployment, or a digest seen: the smallest thing that may have run.

    `targets` are the lines it concerns. A starting point and a restart are no executions.
    """

    id: str
    service: str
    environment: str
    digest: str
    started_at: datetime
    finished_at: datetime
    received_at: datetime
    succeeded: bool
    targets: tuple[str, ...]
    kind: str = "normal"
    planned: bool = False
    observed: bool = False
    starting: bool = False
    restart: bool = False
    goes_back: bool = False
    mechanism: str | None = None
    config_digest: str | None = None
    promotion: PromotionFact | None = None

    @property
    def is_rollback(self) -> bool:
        """Whether it is a rollback, declared or inferred."""
        return self.kind == "rollback" or self.goes_back


@dataclass(frozen=True, slots=True)
class Mark:
    """One run says that another failed; `how` is declared or inferred."""

    failed: Run
    by: Run
    kind: str
    how: str


@dataclass(slots=True)
class TargetHistory:
    """The history of one target, in order of finish, while it is read."""

    started: list[tuple[datetime, datetime, str, str]] = field(default_factory=list)
    ran: list[Run] = field(default_factory=list)
    ran_until: list[datetime] = field(default_factory=list)
    ran_order: list[int] = field(default_factory=list)
    failed_until: list[datetime] = field(default_factory=list)
    failed_order: list[int] = field(default_factory=list)
    judged: list[Run] = field(default_factory=list)
    judged_until: list[datetime] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    tried: list[Run] = field(default_factory=list)
    tried_before: list[int] = field(default_factory=list)
    known_at: datetime | None = None
    only_seen: bool = True

    def running_at(self, at: datetime) -> Run | None:
        """What is known to run at `at`: nothing once a deployment failed after it."""
        last = bisect_right(self.ran_until, at) - 1
        if last < 0:
            return None
        failure = bisect_right(self.failed_until, at) - 1
        if failure >= 0 and self.failed_order[failure] > self.ran_order[last]:
            return None
        return self.ran[last]

    def returned_past(self, digest: str, at: datetime) -> Run | None:
        """The failed run if going to `digest` at `at` is going back, else None."""
        cut = bisect_right(self.judged_until, at)
        places = self.places.get(digest)
        if not cut or not places or self.judged[cut - 1].digest == digest:
            return None
        earlier = bisect_left(places, cut)
        if not earlier or places[0] > self.places[self.judged[cut - 1].digest][0]:
            return None
        return self.judged[places[earlier - 1] + 1]

    def is_new(self, at: datetime) -> bool:
        """Whether nothing is known of the target from before `at` but what was seen then."""
        return self.known_at is None or (self.only_seen and self.known_at == at)

    def replaced(self, digest: str) -> Run | None:
        """The latest execution of another digest, whatever its result."""
        last = len(self.tried) - 1
        if last >= 0 and self.tried[last].digest == digest:
            last = self.tried_before[last]
        return self.tried[last] if last >= 0 else None

    def last_started(self, at: datetime) -> str | None:
        """The digest of the last deployment started by `at`."""
        index = bisect_right(self.started, at, key=lambda entry: entry[0]) - 1
        return self.started[index][3] if index >= 0 else None

    def add(self, run: Run, order: int) -> None:
        """Enters a run; runs come in order of finish."""
        self.known_at = self.known_at or run.finished_at
        self.only_seen = self.only_seen and run.observed
        if run.succeeded:
            self.ran.append(run)
            self.ran_until.append(run.finished_at)
            self.ran_order.append(order)
        else:
            self.failed_until.append(run.finished_at)
            self.failed_order.append(order)
        if run.restart:
            return
        if run.succeeded:
            self.places[run.digest].append(len(self.judged))
            self.judged.append(run)
            self.judged_until.append(run.finished_at)
        if not run.starting:
            last = len(self.tried) - 1
            same = last >= 0 and self.tried[last].digest == run.digest
            self.tried_before.append(self.tried_before[last] if same else last)
            self.tried.append(run)
