"""Runs the cases of kind "level": a team's answers against the level engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from metrics.maturity.levels import LevelResult, derive_levels
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.values import Answer, Measured, Rule
from metrics.vectors.comparing import compare
from promotion.exceptions import InputError


def run_level_case(case: dict[str, Any], _fixtures: Path | None = None) -> list[str]:
    """Return a sentence for each expected value the engine does not give; empty when all agree."""
    try:
        result = _derive(case["given"])
    except InputError as error:
        return [error.sentence]
    except ValueError as error:
        return [f"The case holds a value that is not on any scale: {error}."]
    return compare(case["expect"], _describe(result), as_sets=True)


def _derive(given: dict[str, Any]) -> LevelResult:
    return derive_levels(
        load_shipped_model(),
        {key: Answer(value) for key, value in given.get("claimed", {}).items()},
        {key: Measured(value) for key, value in given.get("measured", {}).items()},
        frozenset(given.get("evidence", ())),
        Rule(given["rule"]) if "rule" in given else None,
    )


def _describe(result: LevelResult) -> dict[str, Any]:
    return {
        "claimed": {**result.claimed.categories, "overall": result.claimed.overall},
        "verified": {**result.verified.categories, "overall": result.verified.overall},
        "binding": result.binding,
        "confidence": {"have": result.confidence.have, "of": result.confidence.of},
        "next": {
            category: progress and {"met": progress.met, "needed": progress.needed}
            for category, progress in result.next.items()
        },
        "undersold": result.undersold,
        "contradicted": result.contradicted,
        "provisional": result.provisional,
    }


RUNNERS: dict[str, Callable[[dict[str, Any], Path | None], list[str]]] = {"level": run_level_case}
