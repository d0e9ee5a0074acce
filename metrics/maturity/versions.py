"""What another version of the model would make of a team's answers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from metrics.maturity.levels import LevelResult, derive_levels
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Answer, Measured


@dataclass(frozen=True, slots=True)
class Standing:
    """A team's answers, what was measured (a verdict, and the figure behind it), and evidence."""

    claimed: Mapping[str, Answer]
    measured: Mapping[str, Measured]
    figures: Mapping[str, float]
    evidence: Collection[str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The levels by the other model, and what could not be taken over by its id."""

    result: LevelResult
    dropped: tuple[str, ...]
    unanswered: tuple[str, ...]


def map_standing(model: MaturityModel, standing: Standing) -> Mapped:
    """Return what a model makes of a standing: statements are told by their ids.

    An answer that is not on the statement's scale any more counts as unanswered. A figure is held
    to the model's own thresholds; without one the verdict stays where it is on the scale.
    """
    claimed = {
        key: answer
        for key, answer in standing.claimed.items()
        if model.has_statement(key)
        and (not answer.is_on_scale or answer in model.get_statement(key).scale)
    }
    measured = {}
    for key, verdict in standing.measured.items():
        if not model.has_statement(key) or model.get_statement(key).check is None:
            continue
        found = _rate(model, key, verdict, standing.figures.get(key))
        if found is not None:
            measured[key] = found
    evidence = {key for key in standing.evidence if model.has_statement(key)}
    return Mapped(
        derive_levels(model, claimed, measured, evidence),
        tuple(key for key in standing.claimed if key not in claimed),
        tuple(one.id for one in model.statements if one.id not in claimed),
    )


def _rate(
    model: MaturityModel, key: str, verdict: Measured, figure: float | None
) -> Measured | None:
    statement = model.get_statement(key)
    if verdict is Measured.INSUFFICIENT:
        return verdict
    if figure is not None and statement.check is not None:
        return Measured(statement.check.rate(figure))
    return verdict if Answer(verdict) in statement.scale else None
