"""Cases for automatic promotion and holds: the events of one stage, replayed."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from metrics.vectors.comparing import compare, read_time
from promotion.rules.automatic import AutomaticStage, EndedPromotion

Case = dict[str, Any]


def run_auto(case: Case, fixtures: Path | None) -> list[str]:
    """Replay a stage's events and compare what began automatically, and whether it is held."""
    replay = _Replay(case["given"]["events"])
    replay.run()
    actual = {"promoted": replay.promoted, "held": replay.stage.held}
    return compare(case["expect"], actual)


@dataclass
class _Replay:
    events: list[Case]
    stage: AutomaticStage = field(default_factory=AutomaticStage)
    promoted: list[str] = field(default_factory=list)
    ends_told: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.names = sorted({event["release"] for event in self.events if "release" in event})
        self.times = [read_time(event["at"]) for event in self.events]

    def run(self) -> None:
        for index, event in enumerate(self.events):
            self._apply(event)
            if not self._more_become_available(index):
                self._promote(index)

    def _apply(self, event: Case) -> None:
        stage = self.stage
        match event["do"]:
            case "available":
                self.stage = stage.make_available([self._place(event)])
            case "veto":
                self.stage = stage.veto(self._place(event))
            case "lift_hold":
                self.stage = stage.lift_hold()
            case "promote":
                self.stage = stage.end(self._read_end(event))
            case other:
                raise ValueError(f"there is no event {other!r}")

    def _read_end(self, event: Case) -> EndedPromotion:
        by, result = event.get("by", "person"), event.get("result", "succeeded")
        kind = event.get("kind", "normal")
        known = (("person", "auto"), ("succeeded", "failed"), ("normal", "rollback"))
        if by not in known[0] or result not in known[1] or kind not in known[2]:
            raise ValueError(f"a promotion by {by!r} of kind {kind!r} that {result!r} is unknown")
        return EndedPromotion(
            release=self._place(event),
            candidate=self.stage.find_candidate(),
            succeeded=result == "succeeded",
            by_person=by == "person",
            is_rollback=kind == "rollback",
        )

    def _more_become_available(self, index: int) -> bool:
        """Releases that become available at one instant are judged together."""
        return any(
            event["do"] == "available" and at == self.times[index]
            for event, at in self._after(index)
        )

    def _promote(self, index: int) -> None:
        while (release := self.stage.choose()) is not None:
            self.promoted.append(self.names[release])
            candidate = self.stage.find_candidate()
            self.stage = self.stage.begin(release)
            if not self._end_is_told(index, self.names[release]):
                ended = EndedPromotion(release, candidate, succeeded=True, by_person=False)
                self.stage = self.stage.end(ended)

    def _end_is_told(self, index: int, release: str) -> bool:
        for later, event in enumerate(self.events[index + 1 :], index + 1):
            is_end = event["do"] == "promote" and event.get("by") == "auto"
            is_normal = event.get("kind", "normal") == "normal"
            if is_end and is_normal and event["release"] == release and later not in self.ends_told:
                self.ends_told.add(later)
                return True
        return False

    def _after(self, index: int) -> list[tuple[Case, datetime]]:
        return list(zip(self.events[index + 1 :], self.times[index + 1 :], strict=True))

    def _place(self, event: Case) -> int:
        return self.names.index(event["release"])
