"""Cases for superseding and waiting in line: requests and ends, replayed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metrics.vectors.comparing import compare, read_time
from promotion.rules.queueing import (
    NewRequest,
    Queue,
    QueuedPromotion,
    choose_next,
    judge_request,
)
from promotion.rules.states import State, may_move

Case = dict[str, Any]
Line = tuple[str, str]


def run_queue(case: Case, fixtures: Path | None) -> list[str]:
    """Replay requests and ends, and compare the states and the requests given back."""
    given = case["given"]
    replay = _Replay(Queue(given["queue"]))
    # A stable sort: at one instant ends come first, and each list keeps its order.
    changes = [*given.get("finish", []), *given["requests"]]
    for change in sorted(changes, key=lambda change: read_time(change["at"])):
        if "service" in change:
            replay.ask(change)
        else:
            replay.finish(change)
    actual = {"states": dict(replay.states()), "returned": replay.returned}
    return compare(case["expect"], actual, whole=("states", "returned"))


@dataclass
class _Replay:
    queue: Queue
    names: list[str] = field(default_factory=list)
    promotions: dict[int, QueuedPromotion] = field(default_factory=dict)
    lines: dict[int, Line] = field(default_factory=dict)
    returned: dict[str, str] = field(default_factory=dict)

    def ask(self, request: Case) -> None:
        line = (request["service"], request["environment"])
        asked = NewRequest(request["release"], automatic=request.get("by") == "auto")
        approved = request.get("approved", False)
        verdict = judge_request(self.queue, asked, self._in_line(line))
        if verdict.returned is not None:
            self.returned[request["id"]] = self.names[verdict.returned]
            if approved:
                given_back = self.promotions[verdict.returned]
                self.promotions[given_back.id] = replace(given_back, approved_by_person=True)
            return
        for older in verdict.superseded:
            self._move(older, State.SUPERSEDED)
        new = len(self.names)
        self.names.append(request["id"])
        self.lines[new] = line
        self.promotions[new] = QueuedPromotion(
            new, asked.release, read_time(request["at"]), State.WAITING, approved
        )
        self._start_next(line)

    def finish(self, end: Case) -> None:
        state = State(end["state"])
        if end["id"] not in self.names:
            return
        promotion = self.names.index(end["id"])
        if state is not State.RUNNING:
            self._move(promotion, state)
            self._start_next(self.lines[promotion])

    def states(self) -> Iterator[tuple[str, str]]:
        for promotion in self.promotions.values():
            yield self.names[promotion.id], promotion.state.value

    def _in_line(self, line: Line) -> list[QueuedPromotion]:
        return [p for p in self.promotions.values() if self.lines[p.id] == line]

    def _move(self, promotion: int, state: State) -> None:
        was = self.promotions[promotion]
        if may_move(was.state, state):
            self.promotions[promotion] = replace(was, state=state)

    def _start_next(self, line: Line) -> None:
        following = choose_next(self._in_line(line))
        if following is not None:
            self._move(following, State.RUNNING)
