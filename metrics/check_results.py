"""What checks found, as rows and as plain JSON that an assessment keeps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import OuterRef, Subquery

from metrics.addresses import find_address
from metrics.maturity.checks import CheckFinding, Counterexample, Page
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Measured
from metrics.models import CheckResult
from promotion.models import Team

# What is listed with a result; all are counted.
MOST_LISTED = 200


def find_day(at: datetime) -> date:
    """The day of a time in the reporting zone."""
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def make_result(
    team: Team, model: MaturityModel, finding: CheckFinding, at: datetime
) -> CheckResult:
    """The row, not saved, of what a check found."""
    check = model.get_statement(finding.statement_id).check
    verdict = finding.measured
    listed = sorted(finding.counterexamples, key=lambda each: each.excused)[:MOST_LISTED]
    return CheckResult(
        team=team,
        model_id=model.id,
        model_version=model.version,
        statement_id=finding.statement_id,
        day=find_day(at),
        as_of=at,
        window_days=finding.window_days,
        window_from=finding.window_from,
        window_to=finding.window_to,
        verdict=str(verdict) if verdict else CheckResult.Verdict.NOT_MEASURABLE,
        value=float(finding.value) if finding.value is not None else None,
        numerator=finding.numerator,
        denominator=finding.denominator,
        n=finding.n,
        unit=str(check.unit) if check else "",
        reason=finding.reason,
        thresholds={str(answer): value for answer, value in check.thresholds.items()}
        if check
        else {},
        coverage={"unit": "services", "have": finding.covered, "of": finding.coverable},
        figures=[
            {
                "name": each.name,
                "counts": each.counts,
                "value": float(each.value),
                "numerator": each.numerator,
                "denominator": each.denominator,
            }
            for each in finding.figures
        ],
        counterexamples=[_write_counterexample(each) for each in listed],
        counterexample_count=len(finding.counting),
    )


def _write_counterexample(each: Counterexample) -> dict[str, Any]:
    return {
        "key": each.key,
        "what": each.what,
        "page": each.page.name,
        "names": list(each.page.names),
        "excused": each.excused,
    }


def find_results(team: Team, model: MaturityModel, at: datetime) -> list[CheckResult]:
    """The newest results of a team with this version of the model, of one day by `at`; one query."""
    rows = CheckResult.objects.filter(
        team=team, model_id=model.id, model_version=model.version, as_of__lte=at
    )
    newest = rows.order_by("-day").values("day")[:1]
    return list(rows.filter(day=newest))


def find_newest_results(model: MaturityModel, at: datetime) -> dict[int, list[CheckResult]]:
    """The newest results of every team, by its key; only what the levels need; one query."""
    rows = CheckResult.objects.filter(
        model_id=model.id, model_version=model.version, as_of__lte=at
    ).only("team_id", "statement_id", "verdict", "day")
    newest = rows.filter(team=OuterRef("team")).order_by("-day").values("day")[:1]
    found: dict[int, list[CheckResult]] = defaultdict(list)
    for each in rows.filter(day=Subquery(newest)):
        found[each.team_id].append(each)
    return dict(found)


def read_measured(results: Iterable[CheckResult]) -> dict[str, Measured]:
    """The results as the levels take them: what is not measurable is left out."""
    return {
        each.statement_id: Measured(each.verdict)
        for each in results
        if each.verdict != CheckResult.Verdict.NOT_MEASURABLE
    }


def write_check(result: CheckResult) -> dict[str, Any]:
    """One result as it is kept with an assessment and given by the API."""
    return {
        "statement": result.statement_id,
        "verdict": result.verdict,
        "value": result.value,
        "unit": result.unit,
        "numerator": result.numerator,
        "denominator": result.denominator,
        "n": result.n,
        "reason": result.reason,
        "thresholds": result.thresholds,
        "coverage": result.coverage,
        "figures": result.figures,
        "counterexamples": result.counterexamples,
        "counterexample_count": result.counterexample_count,
        "window": {
            "days": result.window_days,
            "from": result.window_from.isoformat(),
            "to": result.window_to.isoformat(),
        },
        "as_of": result.as_of.isoformat(),
    }


def find_counterexample_address(written: Mapping[str, Any]) -> str:
    """Where a written counterexample leads; empty where there is no page of it."""
    page = Page(written["page"], tuple(written["names"]))
    return find_address(page.name, *page.names) if page.name else ""
