"""A check's result in words: what was found, of how much, against which thresholds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from metrics.check_results import find_counterexample_address
from metrics.maturity.model import Better, Check, MaturityModel, Statement, Unit
from metrics.maturity.values import RANKS, Answer
from metrics.models import CheckResult
from promotion.formats import NO_BREAK, format_percent

SHOWN_AT_ONCE = 3
NO_VERDICT = (CheckResult.Verdict.INSUFFICIENT, CheckResult.Verdict.NOT_MEASURABLE)


def show_check(
    statement: Statement, written: Mapping[str, Any] | None, claimed: str = ""
) -> dict[str, Any] | None:
    """One written result made ready for a page; None where the statement has no check.

    `claimed` is the statement's own answer, for whether it is contradicted or undersold.
    """
    check = statement.check
    if check is None:
        return None
    if written is None:
        return {"says": check.says, "is_found": False}
    verdict = CheckResult.Verdict(written["verdict"])
    has_verdict = verdict not in NO_VERDICT
    relation = _compare(claimed, verdict) if has_verdict else ""
    listed = [
        {
            **each,
            "told": each["what"].replace("`", ""),
            "address": find_counterexample_address(each),
        }
        for each in written["counterexamples"]
    ]
    return {
        "says": check.says,
        "is_found": True,
        "has_verdict": has_verdict,
        "label": verdict.label,
        "status": _find_status(statement, verdict, relation),
        "relation": relation,
        "told": tell_figures(check, written),
        "thresholds": tell_thresholds(check),
        "reason": written["reason"],
        "window_days": written["window"]["days"],
        "as_of": datetime.fromisoformat(written["as_of"]),
        "coverage": written["coverage"],
        "first": listed[:SHOWN_AT_ONCE],
        "rest": listed[SHOWN_AT_ONCE:],
        "listed": listed,
        "counterexample_count": written["counterexample_count"],
        "unlisted": max(
            written["counterexample_count"] - sum(not each["excused"] for each in listed), 0
        ),
    }


def _compare(claimed: str, verdict: str) -> str:
    """contradicted, undersold, or empty where both agree or there is no answer on the scale."""
    if not claimed or not Answer(claimed).is_on_scale:
        return ""
    difference = RANKS[Answer(verdict)] - RANKS[Answer(claimed)]
    if difference == 0:
        return ""
    return "undersold" if difference > 0 else "contradicted"


def _find_status(statement: Statement, verdict: str, relation: str) -> str:
    if verdict in NO_VERDICT:
        return "unknown"
    if relation == "contradicted":
        return "warned"
    return "passed" if Answer(verdict) is statement.scale[-1] else "pending"


def tell_figures(check: Check, written: Mapping[str, Any]) -> list[str]:
    """Each figure with what it was made of: 11 of 12 production deployments, 92 %."""
    told = []
    for figure in written["figures"]:
        numerator, n = int(figure["numerator"]), figure["denominator"]
        if check.unit is Unit.YES_OR_NO:
            told.append("yes" if figure["value"] else "no")
        elif check.unit is Unit.COUNT:
            is_share = figure["counts"] == "conditions"
            counted = f"{numerator} of {n} conditions"
            told.append(counted if is_share else f"{figure['counts'].capitalize()}: {numerator}")
        else:
            share = format_percent(figure["value"] / 100, n)
            counted = f"{numerator} of {n} {figure['counts']}"
            told.append(f"{counted}, {share}" if share.endswith("%") else counted)
    return told


def tell_thresholds(check: Check) -> str:
    """From where which value begins: Partly from 15 %, Largely from 50 %, Fully from 85 %."""
    if check.unit is Unit.YES_OR_NO:
        return "Fully where it is so"
    sign = f"{NO_BREAK}%" if check.unit is Unit.PERCENT else ""
    if Answer.STILL_TRUE not in check.thresholds:
        return ", ".join(
            f"{answer.label} from {value}{sign}" for answer, value in check.thresholds.items()
        )
    still, over = check.thresholds[Answer.STILL_TRUE], check.thresholds[Answer.NO_LONGER]
    if check.better is Better.LOWER:
        return f"still true above {still}{sign}, no longer below {over}{sign}"
    return f"still true below {still}{sign}, no longer from {over}{sign}"


def show_checks(
    model: MaturityModel, written: Mapping[str, Any], claimed: Mapping[str, str]
) -> list[dict[str, Any]]:
    """All statements with a check, by category and in the order of the model."""
    groups = []
    for category in model.categories:
        rows = []
        for statement in model.get_statements(category.id):
            answer = claimed.get(statement.id, "")
            shown = show_check(statement, written.get(statement.id), answer)
            if shown is not None:
                label = Answer(answer).label if answer else ""
                rows.append({"statement": statement, "claimed": label, "check": shown})
        groups.append({"category": category, "rows": rows})
    return groups
