"""Where the runtime is: what it has seen, rolls out and runs, kept on disk so that nothing is lost."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from demo.exceptions import DemoError


@dataclass(slots=True)
class Rollout:
    """One digest on its way to one place; times are RFC 3339."""

    identity: str
    service: str
    environment: str
    target: str
    digest: str
    promotion: str
    noticed_at: str
    began_at: str = ""
    has_told_start: bool = False
    ended_at: str = ""
    result: str = ""

    @property
    def place(self) -> str:
        """service/environment/target, as the runtime calls it."""
        return place_name(self.service, self.environment, self.target)


@dataclass(slots=True)
class Place:
    """The last commit seen, what is under way, and the digest at each place."""

    seen: str = ""
    rollouts: list[Rollout] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)


def place_name(service: str, environment: str, target: str) -> str:
    """One name for where something runs."""
    return "/".join(part for part in (service, environment, target) if part)


def read_place(path: Path) -> Place:
    """What was kept, or a beginning; DemoError where the file cannot be read."""
    if not path.exists():
        return Place()
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
        rollouts = [Rollout(**one) for one in kept["rollouts"]]
        return Place(str(kept["seen"]), rollouts, dict(kept["running"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DemoError(
            f"{path} cannot be read ({error}), so the runtime does not know what it has told."
            " Restore the file, or remove it to begin with the newest commit."
        ) from error


def write_place(path: Path, place: Place) -> None:
    """Whole or not at all: a killed runtime finds what was before or what is now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("w") as file:
        json.dump(asdict(place), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
