"""Results of assessments made ready for pages."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from metrics.check_results import find_results
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment
from metrics.standing import derive_standing, write_result


def find_result(
    assessment: Assessment, answers: list[Answer], model: MaturityModel, at: datetime
) -> dict[str, Any]:
    """The result as agreed, or as answers and the newest measurements give it now."""
    if assessment.is_frozen:
        return dict(assessment.result)
    results = find_results(assessment.team, model, at)
    return write_result(derive_standing(model, answers, at, results), answers, at, results)


def show_result(
    result: Mapping[str, Any], model: MaturityModel, answered: Collection[str], *, is_frozen: bool
) -> dict[str, Any]:
    """A result made ready for the panel; `answered` are the ids of the statements answered."""
    titles = {level.number: level.title for level in model.levels}
    categories = [
        {
            "id": category.id,
            "title": category.title,
            "claimed": result["claimed"]["categories"][category.id],
            "verified": result["verified"]["categories"][category.id],
            "why": result["verified"]["why"].get(category.id, []),
            "progress": result["progress"][category.id],
            "binds": category.id in result["binding"],
            "answered": sum(one.id in answered for one in model.get_statements(category.id)),
            "of": len(model.get_statements(category.id)),
        }
        for category in model.categories
    ]
    return {
        "categories": categories,
        "claimed": result["claimed"]["overall"],
        "claimed_title": titles[result["claimed"]["overall"]],
        "verified": result["verified"]["overall"],
        "verified_title": titles[result["verified"]["overall"]],
        "provisional": result["provisional"],
        "confidence": result["confidence"],
        "lift": _show_lift(result["lifts"], model),
        "lifts": max(len(result["lifts"]) - 1, 0),
        "answered": len(answered),
        "of": len(model.statements),
        "undersold": len(result.get("undersold", ())),
        "contradicted": len(result.get("contradicted", ())),
        "is_frozen": is_frozen,
    }


def _show_lift(lifts: list[dict[str, Any]], model: MaturityModel) -> dict[str, Any] | None:
    """The first of the smallest sets of statements that lift the overall level."""
    if not lifts:
        return None
    steps = [
        {
            "text": model.get_statement(each["statement"]).text,
            "to": Value(each["to"]).label,
        }
        for each in lifts[0]["improvements"]
    ]
    return {"to_level": lifts[0]["to_level"], "steps": steps}
