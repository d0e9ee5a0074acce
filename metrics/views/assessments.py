"""Assessments: the list of teams, one category a screen, and what follows from the answers."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metrics.actions.agree import refuse_agreeing
from metrics.actions.assess import find_cycle
from metrics.actions.support import may_support
from metrics.check_results import find_newest_results, find_results
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel, Statement
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment, CheckResult
from metrics.standing import derive_standing, find_model, write_result
from promotion.models import Team, User

from .telling_checks import show_check

OTHERS = (Value.UNKNOWN, Value.NOT_APPLICABLE)


def find_assessment(team: str, cycle: str) -> Assessment:
    """The assessment of an address; 404 where there is none."""
    return get_object_or_404(
        Assessment.objects.select_related("team", "submitted_by", "agreed_by"),
        team__slug=team,
        cycle=cycle,
    )


def read_answers(assessment: Assessment) -> list[Answer]:
    """All its answers with the people behind them, in one query."""
    people = ("answered_by", "not_applicable_agreed_by", "evidence_by", "evidence_accepted_by")
    return list(assessment.answers.select_related(*people))


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


@require_safe
def list_assessments(request: HttpRequest) -> HttpResponse:
    """Every team with the newest of its assessments, and a way to begin this quarter's."""
    at, person = timezone.now(), cast(User, request.user)
    cycle = find_cycle(at)
    newest: dict[int, Assessment] = {}
    for one in Assessment.objects.order_by("cycle", "pk").prefetch_related("answers"):
        newest[one.team_id] = one
    measured = find_newest_results(load_shipped_model(), at)
    rows = []
    for team in Team.objects.select_related("parent"):
        latest = newest.get(team.pk)
        rows.append(
            {
                "team": team,
                "assessment": latest,
                "levels": _find_levels(latest, measured.get(team.pk, []), at),
                "may_start": (latest is None or latest.cycle != cycle) and person.may_ask(team),
            }
        )
    context = {
        "rows": rows,
        "cycle": cycle,
        "sentence": _open_list(rows, cycle),
        "nav_section": "assessment",
    }
    return render(request, "metrics/assessment_list.html", context)


def _find_levels(
    assessment: Assessment | None, results: list[CheckResult], at: datetime
) -> dict[str, Any] | None:
    """Claimed and verified, of an assessment with the model at hand or a frozen result."""
    if assessment is None:
        return None
    if assessment.is_frozen:
        result = assessment.result
        return {
            "claimed": result["claimed"]["overall"],
            "verified": result["verified"]["overall"],
            "provisional": result["provisional"],
        }
    found = derive_standing(find_model(assessment), assessment.answers.all(), at, results)
    return {
        "claimed": found.claimed.overall,
        "verified": found.verified.overall,
        "provisional": found.provisional,
    }


def _open_list(rows: list[dict[str, Any]], cycle: str) -> str:
    if not rows:
        return "There is no team yet."
    current = [row["assessment"] for row in rows if row["assessment"]]
    current = [one for one in current if one.cycle == cycle]
    agreed = sum(one.is_frozen for one in current)
    year, _, quarter = cycle.partition("-")
    return (
        f"{agreed} of {len(rows)} teams agreed their assessment of {quarter.upper()} {year};"
        f" {(left := len(current) - agreed)} {'is' if left == 1 else 'are'} at it."
    )


@require_safe
def show_assessment(request: HttpRequest, team: str, cycle: str) -> HttpResponse:
    """One category of statements, and the result of all of them."""
    at = timezone.now()
    assessment = find_assessment(team, cycle)
    model = find_model(assessment)
    categories = {category.id: category for category in model.categories}
    wanted = request.GET.get("category") or model.categories[0].id
    if wanted not in categories:
        raise Http404
    answers = read_answers(assessment)
    result = find_result(assessment, answers, model, at)
    answered = {answer.statement_id for answer in answers}
    standing = show_result(result, model, answered, is_frozen=assessment.is_frozen)
    context = {
        **make_rights(assessment, cast(User, request.user)),
        "assessment": assessment,
        "category": categories[wanted],
        "cells": make_cells(model, wanted, answers, at, result.get("checks", {})),
        "standing": standing,
        "sentence": open_assessment(assessment, standing),
        "nav_section": "assessment",
    }
    return render(request, "metrics/assessment_detail.html", context)


def open_assessment(assessment: Assessment, standing: dict[str, Any]) -> str:
    """The sentence that opens the page: how far it is, and the levels."""
    levels = f"level {standing['claimed']} is claimed, level {standing['verified']} verified"
    count = f"{standing['answered']} of {standing['of']} statements are answered"
    if assessment.is_frozen:
        return f"Agreed: {levels}. The result stays as it was agreed."
    if not assessment.is_draft:
        return f"Waiting for somebody else to agree: {levels}; {count}."
    return f"{count}; {levels} so far."


def make_rights(assessment: Assessment, person: User) -> dict[str, Any]:
    """What the person may do with it, and why not."""
    is_member = person.may_ask(assessment.team)
    return {
        "may_answer": is_member and assessment.is_draft,
        "is_member": is_member,
        "may_support": may_support(person, assessment) and not assessment.is_frozen,
        "agree_refusal": refuse_agreeing(assessment, person),
    }


def make_cells(
    model: MaturityModel,
    category: str,
    answers: list[Answer],
    at: datetime,
    checks: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The five levels of a category, each with its statements and their answers."""
    by_statement = {answer.statement_id: answer for answer in answers}
    return [
        {
            "level": level,
            "statements": [
                make_statement(one, by_statement.get(one.id), at, checks.get(one.id))
                for one in model.get_statements(category)
                if one.level == level.number
            ],
        }
        for level in model.levels
    ]


def make_statement(
    statement: Statement,
    answer: Answer | None,
    at: datetime,
    written: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One statement as the form shows it; what was measured only once it is answered."""
    given = answer.value if answer else ""
    choices = [*statement.scale, *OTHERS] if statement.na_allowed else [*statement.scale, OTHERS[0]]
    return {
        "statement": statement,
        "slug": statement.id.replace(".", "-"),
        "answer": answer,
        "choices": [
            {
                "value": choice.value,
                "label": choice.label[:1].upper() + choice.label[1:],
                "example": statement.examples.get(choice, ""),
                "is_given": choice.value == given,
            }
            for choice in choices
        ],
        "check": show_check(statement, written, given) if answer else None,
        "is_not_applicable": given == Value.NOT_APPLICABLE,
        "is_agreed": answer is not None and answer.is_agreed_not_applicable(at),
        "has_accepted": answer is not None and answer.has_accepted_evidence(at),
    }
