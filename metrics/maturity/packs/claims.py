"""One claim of a pack: what was answered, what carries it, what was measured and of which rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from metrics.maturity.model import Better, Check, MaturityModel, Statement, Unit
from metrics.maturity.ratings import Rating
from metrics.maturity.values import RANKS, Answer, Measured

NOT_MEASURABLE = "unmeasurable"
CLOSE = Fraction(1, 10**6)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim read again. `problems` are what its own parts contradict each other in."""

    statement: Statement
    counted: Answer
    measured: Measured | None
    is_proven: bool
    said: Mapping[str, Any]
    rows: int
    problems: tuple[str, ...]


def read_claim(model: MaturityModel, written: Mapping[str, Any]) -> Claim:
    """A claim with its values derived from answer, evidence and figures, not from what it says.

    InputError for a statement the model lacks; KeyError, TypeError or ValueError for another form.
    """
    statement = model.get_statement(written["statement"]["id"])
    at = datetime.fromisoformat(written["at"])
    problems: list[str] = []
    if written["statement"]["text"] != statement.text:
        problems.append("its words are not those of the model")
    measured, rows = _measure(statement, written["check"], written["rows"], problems)
    return Claim(
        statement,
        _count_answer(written["answer"], at),
        measured,
        _is_proven(written["evidence"], at),
        written["values"],
        rows,
        tuple(problems),
    )


def _count_answer(answer: Mapping[str, Any] | None, at: datetime) -> Answer:
    """Not applicable only where somebody else agreed to it and that had not run out."""
    if answer is None:
        return Answer.UNANSWERED
    value = Answer(answer["value"])
    if value is not Answer.NOT_APPLICABLE:
        return value
    said = answer["not_applicable"]
    agreed = (
        said["agreed_at"] is not None
        and said["agreed_by"] != answer["answered_by"]
        and said["until"] is not None
        and at < datetime.fromisoformat(said["until"])
    )
    return value if agreed else Answer.UNANSWERED


def _is_proven(evidence: Mapping[str, Any] | None, at: datetime) -> bool:
    """Accepted by somebody other than who gave it, and not run out."""
    if evidence is None or evidence["accepted_at"] is None:
        return False
    if evidence["accepted_by"] == evidence["given_by"]:
        return False
    expires = evidence["expires_at"]
    return expires is None or at < datetime.fromisoformat(expires)


def _measure(
    statement: Statement,
    written: Mapping[str, Any] | None,
    rows: Mapping[str, Sequence[Mapping[str, Any]]] | None,
    problems: list[str],
) -> tuple[Measured | None, int]:
    """The verdict of the frozen figures by the model's thresholds, and how many rows carry them."""
    check = statement.check
    if check is None or written is None:
        return None, 0
    verdict = None if written["verdict"] == NOT_MEASURABLE else Measured(written["verdict"])
    if verdict is None or verdict is Measured.INSUFFICIENT:
        return verdict, 0
    if written["thresholds"] != {str(key): value for key, value in check.thresholds.items()}:
        problems.append("its thresholds are not those of the model")
    values = {each["name"]: _find_value(check, each) for each in written["figures"]}
    if set(values) != set(check.figures):
        problems.append("its figures are not those of the model")
    if not values:
        return None, 0
    found = min((check.rate(value) for value in values.values()), key=lambda one: RANKS[one])
    if Measured(found.value) is not verdict:
        problems.append(f"its figures give {found.label}, it says {verdict.label}")
    count = 0
    for each in written["figures"]:
        listed = (rows or {}).get(each["name"])
        if listed is not None:
            count += len(listed)
            _hold_to_rows(check, each, values[each["name"]], listed, problems)
    return Measured(found.value), count


def _find_value(check: Check, figure: Mapping[str, Any]) -> Fraction:
    """The figure as a fraction: of numerator and denominator where it is a share of them."""
    value = Fraction(figure["value"])
    numerator, denominator = figure["numerator"], figure["denominator"]
    if denominator:
        share = Fraction(numerator, denominator) * (100 if check.unit is Unit.PERCENT else 1)
        if abs(share - value) < CLOSE:
            return share
    # A count, a yes or no, or what holds because nothing spoke against it.
    return value


def _hold_to_rows(
    check: Check,
    figure: Mapping[str, Any],
    value: Fraction,
    rows: Sequence[Mapping[str, Any]],
    problems: list[str],
) -> None:
    counting = [row for row in rows if not row["excused"]]
    good = sum(bool(row["good"]) for row in counting)
    numerator = len(counting) - good if check.better is Better.LOWER else good
    factor = 100 if check.unit is Unit.PERCENT else 1
    is_share = bool(figure["denominator"]) and value == factor * Fraction(
        figure["numerator"], figure["denominator"]
    )
    if len(counting) != figure["denominator"] or (is_share and numerator != figure["numerator"]):
        problems.append(
            f"its rows give {numerator} of {len(counting)} for {figure['name']},"
            f" it says {figure['numerator']} of {figure['denominator']}"
        )


def compare_claim(claim: Claim, rating: Rating) -> tuple[bool, str]:
    """Whether the values derived again are those in the pack, and the line that says so."""
    found = {
        "claimed": str(rating.claimed),
        "measured": str(rating.measured) if rating.measured else None,
        "verified": str(rating.verified),
        "counted": str(rating.counted_verified),
    }
    problems = list(claim.problems)
    problems += [
        f"{name} is {value or 'none'} by recomputing, {claim.said[name] or 'none'} in the pack"
        for name, value in found.items()
        if value != claim.said[name]
    ]
    name = claim.statement.id
    if problems:
        return False, f"{name}: {'; '.join(problems)}"
    measured = rating.measured.label if rating.measured else "not measured"
    carried = ", evidence accepted" if rating.has_evidence else ""
    rows = f", {claim.rows} rows" if claim.rows else ""
    return True, (
        f"{name}: claimed {rating.claimed.label}, {measured}{rows}{carried},"
        f" verified {rating.verified.label}"
    )
