"""An assessment looked at from other sides: what if, against an earlier one, one service alone."""

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metrics.actions.recompute_checks import measure_team
from metrics.check_results import make_result, write_check
from metrics.facts.checked import find_team_keys
from metrics.maturity.difference import Moved, find_moved
from metrics.maturity.levels import LevelResult, derive_levels
from metrics.maturity.lifting import find_lifts
from metrics.maturity.values import Answer as Value
from metrics.maturity.values import Measured
from metrics.maturity.what_if import find_fixable, suppose
from metrics.models import Assessment, CheckResult
from metrics.standing import counted_value
from metrics.targets import Targets
from promotion.models import Service, User

from .assessments import find_assessment
from .sheet import Sheet
from .telling_checks import show_check


def _open(request: HttpRequest, team: str, cycle: str) -> Sheet:
    return Sheet(find_assessment(team, cycle), cast(User, request.user), timezone.now())


def _derive(sheet: Sheet, checks: dict[str, Any]) -> LevelResult:
    """The levels of the answers with other written checks, as of the agreement where there is one."""
    at = sheet.assessment.agreed_at if sheet.assessment.is_frozen else sheet.at
    at = at or sheet.at
    answers = sheet.answers.values()
    measured = {
        key: Measured(each["verdict"])
        for key, each in checks.items()
        if each["verdict"] != CheckResult.Verdict.NOT_MEASURABLE
    }
    return derive_levels(
        sheet.model,
        {answer.statement_id: counted_value(answer, at) for answer in answers},
        measured,
        {answer.statement_id for answer in answers if answer.has_accepted_evidence(at)},
    )


@require_safe
def what_if(request: HttpRequest, team: str, cycle: str) -> HttpResponse:
    """Which levels there would be if the statements that are ticked were done."""
    sheet = _open(request, team, cycle)
    result = _derive(sheet, sheet.result.get("checks", {}))
    model = sheet.model
    fixed = {key for key in request.GET.getlist("fix") if model.has_statement(key)}
    supposed = suppose(result, fixed)
    missing = {
        each.statement.id
        for progress in result.next.values()
        if progress is not None
        for each in progress.missing
    }
    fixable = find_fixable(result)
    groups = [
        {
            "category": category,
            "now": result.verified.categories[category.id],
            "then": supposed.verified.categories[category.id],
            "rows": [
                {
                    "statement": each.statement,
                    "verified": each.counted_verified.label,
                    "to": each.statement.scale[-1].label,
                    "is_needed": each.statement.id in missing,
                    "is_fixed": each.statement.id in fixed,
                }
                for each in fixable
                if each.statement.category == category.id
            ],
        }
        for category in model.categories
    ]
    shortest = find_lifts(result)
    context = {
        "assessment": sheet.assessment,
        "groups": groups,
        "now": result.verified.overall,
        "then": supposed.verified.overall,
        "count": len(fixed),
        "fixed": [each.statement for each in fixable if each.statement.id in fixed],
        "shortest": [each.statement_id for each in shortest[0].improvements] if shortest else [],
        "is_member": sheet.is_member,
        "nav_section": "assessment",
    }
    is_part = bool(getattr(request, "htmx", False))
    template = "metrics/_supposed.html" if is_part else "metrics/what_if.html"
    return render(request, template, context)


@require_safe
def show_difference(request: HttpRequest, team: str, cycle: str) -> HttpResponse:
    """What differs between this assessment and an earlier one that was agreed."""
    sheet = _open(request, team, cycle)
    assessment, model = sheet.assessment, sheet.model
    earlier = list(
        Assessment.objects.filter(
            team=assessment.team, model_id=model.id, cycle__lt=assessment.cycle
        )
        .exclude(result=None)
        .order_by("-cycle")
    )
    wanted = request.GET.get("to") or (earlier[0].cycle if earlier else "")
    other = next((each for each in earlier if each.cycle == wanted), None)
    if other is None and wanted:
        raise Http404
    moved = find_moved(model, other.result, sheet.result) if other else ()
    context = {
        "assessment": assessment,
        "earlier": earlier,
        "other": other,
        "moved": [_show_moved(each) for each in moved],
        "categories": [
            {
                "title": category.title,
                "claimed": sheet.result["claimed"]["categories"][category.id],
                "verified": sheet.result["verified"]["categories"][category.id],
                "claimed_before": other.result["claimed"]["categories"].get(category.id),
                "verified_before": other.result["verified"]["categories"].get(category.id),
            }
            for category in model.categories
        ]
        if other
        else [],
        "result": sheet.result,
        "nav_section": "assessment",
    }
    return render(request, "metrics/assessment_difference.html", context)


def _show_moved(each: Moved) -> dict[str, Any]:
    return {
        "statement": each.statement,
        "status": {1: "passed", -1: "failed", 0: "pending"}[each.direction],
        "word": {1: "better", -1: "worse", 0: "changed"}[each.direction],
        "claimed": _tell_step(each.claimed_before, each.claimed),
        "verified": _tell_step(each.verified_before, each.verified),
    }


def _tell_step(before: Value | None, after: Value) -> str:
    if before == after:
        return after.label
    return f"{before.label if before else 'not asked'} → {after.label}"


@require_safe
def show_services(request: HttpRequest, team: str, cycle: str) -> HttpResponse:
    """What the checks find of one service of the team, beside all of them; measured when asked."""
    sheet = _open(request, team, cycle)
    keys = find_team_keys(sheet.assessment.team)
    services = list(Service.objects.filter(team__in=keys).order_by("slug"))
    wanted = request.GET.get("service") or (services[0].slug if services else "")
    service = next((each for each in services if each.slug == wanted), None)
    if service is None and wanted:
        raise Http404
    context: dict[str, Any] = {
        "assessment": sheet.assessment,
        "services": services,
        "service": service,
        "nav_section": "assessment",
    }
    if service is not None:
        context |= _measure_service(sheet, service)
    return render(request, "metrics/assessment_services.html", context)


def _measure_service(sheet: Sheet, service: Service) -> dict[str, Any]:
    team, model, at = sheet.assessment.team, sheet.model, sheet.at
    findings = measure_team(team, model, Targets(at), at, service=service.slug)
    alone = {
        key: write_check(make_result(team, model, finding, at)) for key, finding in findings.items()
    }
    whole = sheet.result.get("checks", {})
    result = _derive(sheet, alone)
    rows = []
    for statement in model.statements:
        if statement.check is None:
            continue
        answer = sheet.answers.get(statement.id)
        given = answer.value if answer else ""
        rows.append(
            {
                "statement": statement,
                "claimed": Value(given).label if given else "unanswered",
                "whole": show_check(statement, whole.get(statement.id), given),
                "alone": show_check(statement, alone.get(statement.id), given),
            }
        )
    levels = [
        {
            "title": category.title,
            "whole": sheet.result["verified"]["categories"][category.id],
            "alone": result.verified.categories[category.id],
        }
        for category in model.categories
    ]
    return {"rows": rows, "levels": levels}
