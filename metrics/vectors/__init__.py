"""Cases for the rules: what a vector file says, run through what the product calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metrics.vectors import engine, events, level, measures
from promotion.exceptions import ThroughlineError

Case = dict[str, Any]
Runner = Callable[[Case, Path | None], list[str]]

KINDS: Mapping[str, Runner] = {
    **engine.RUNNERS,
    **measures.RUNNERS,
    **level.RUNNERS,
    **events.RUNNERS,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case ended; no differences is passed."""

    kind: str
    name: str
    differences: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the product says what the case expects."""
        return not self.differences

    def line(self) -> str:
        """The outcome on one line."""
        if self.passed:
            return _on_one_line(f"pass {self.kind} {self.name}")
        return _on_one_line(f"FAIL {self.kind} {self.name}: {'; '.join(self.differences)}")


def check_case(case: object, fixtures: Path | None) -> Outcome:
    """Run one case; a malformed case, or a product that breaks over it, is a failed case."""
    if not isinstance(case, dict):
        return Outcome("case", "?", ("a case must be a JSON object",))
    kind = case.get("kind", "event" if "source" in case else None)
    name = case.get("name") or f"{case.get('source', '?')} {case.get('file', '')}".strip()
    runner = KINDS.get(kind) if isinstance(kind, str) else None
    if runner is None:
        return Outcome(str(kind), str(name), (f"there is no kind {kind!r}",))
    try:
        return Outcome(str(kind), str(name), tuple(runner(case, fixtures)))
    except ThroughlineError as error:
        return Outcome(str(kind), str(name), (error.sentence,))
    except Exception as error:
        # Whatever breaks is this case's failure; the cases after it must still run.
        return Outcome(str(kind), str(name), (f"it broke with {type(error).__name__}: {error}",))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
