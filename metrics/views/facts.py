"""One fact behind the measures: what it says, what people say of it, and how it is corrected."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.facts.naming import split_fact_id
from metrics.models import IncidentFact
from metrics.reports import open_report
from promotion.actions.judge_link import judge_incident, judge_return
from promotion.actions.void_fact import FACTS, Fact, may_correct, void_fact
from promotion.exceptions import ThroughlineError
from promotion.models import (
    Build,
    Correction,
    Deployment,
    DeploymentReport,
    Incident,
    IncidentVerdict,
    Observation,
    RollbackVerdict,
    User,
)
from promotion.views.refusing import refuse

from .filtering import make_bar, read_asked

PAGE = 50
OFFERED_BEFORE, OFFERED = timedelta(days=60), 30
OUTCOMES = {
    "alone": "No deployment is to blame by time",
    "suspected": "Suspected: below its sender's severity",
    "disputed": "Disputed by a person",
}


@require_safe
def show_fact(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """The fact, its correction if there is one, and the forms for who may correct."""
    fact = _find(kind, pk)
    words: list[Any] = []
    if isinstance(fact, (Incident, Deployment)):
        words = list(fact.verdicts.select_related("by").order_by("-at", "-pk"))
    correction = Correction.objects.filter(subject=kind, subject_id=pk).select_related("by").first()
    context = {
        "fact": fact,
        "kind": kind,
        "title": f"{kind.capitalize()} {pk}",
        "told": list(_tell(fact)),
        "correction": correction,
        "words": words,
        "said": words[0].word if words else "",
        "choices": _list_choices(fact),
        "deployments": _list_deployments(fact),
        "may_correct": may_correct(cast(User, request.user), fact.service),
        "event": _find_event(fact),
        "nav_section": "measure",
    }
    return render(request, "metrics/fact_detail.html", context)


def _find(kind: str, pk: int) -> Fact:
    model = FACTS.get(kind)
    if model is None or pk >= 2**63:
        raise Http404
    columns = ["service__team", *(() if model is Build else ("environment",))]
    fact = model._default_manager.select_related(*columns).filter(pk=pk).first()
    if fact is None:
        raise Http404
    return fact


def _find_event(fact: Fact) -> int | None:
    """The key of the event it came with last; a deployment is told by its reports."""
    if isinstance(fact, Deployment):
        told = DeploymentReport.objects.filter(deployment=fact).exclude(event=None)
        return told.order_by("-pk").values_list("event", flat=True).first()
    return fact.event_id


def _tell(fact: Fact) -> Iterable[tuple[str, Any, str]]:
    """Name, value, and what kind of value it is, for each thing the fact says."""
    yield "Service", fact.service.slug if fact.service else "of no known service", "text"
    if not isinstance(fact, Build):
        place = fact.environment.name if fact.environment else "not known"
        yield "Environment", place, "text"
    if isinstance(fact, Incident):
        yield "What", fact.title or fact.external_id, "text"
        yield "Severity", fact.severity or "not said", "text"
        yield "Opened", fact.opened_at, "time"
        yield "Resolved", fact.resolved_at, "time"
        yield "Named by the sender", fact.named or "nothing", "text"
    elif isinstance(fact, Observation):
        yield "Digest", fact.digest, "digest"
        yield "Seen", fact.seen_at, "time"
    elif isinstance(fact, Deployment):
        yield "Digest", fact.digest, "digest"
        yield "Version", fact.version or "not known", "text"
        yield "Result", fact.result, "text"
        yield "Kind", fact.kind or "normal", "text"
        yield "Planned by its sender", "yes" if fact.is_planned else "no", "text"
        yield "Ended", fact.finished_at, "time"
    else:
        yield "Commit", fact.commit or "not known", "text"
        yield "Ended", fact.finished_at, "time"
    yield "Received", fact.received_at, "time"


def _list_choices(fact: Model) -> list[tuple[str, str]]:
    if isinstance(fact, Incident):
        return list(IncidentVerdict.Word.choices)
    return list(RollbackVerdict.Word.choices) if isinstance(fact, Deployment) else []


def _list_deployments(fact: Model) -> list[Deployment]:
    """Those an incident may be linked to: of its service, ended in the weeks before it, newest first."""
    if not isinstance(fact, Incident) or fact.service_id is None or fact.opened_at is None:
        return []
    rows = Deployment.objects.filter(
        service=fact.service_id,
        finished_at__lte=fact.opened_at,
        finished_at__gt=fact.opened_at - OFFERED_BEFORE,
    )
    return list(rows.select_related("environment").order_by("-finished_at", "-pk")[:OFFERED])


@require_POST
def void(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Declares the fact wrong."""
    _find(kind, pk)
    back = reverse("fact-detail", args=[kind, pk])
    person, why = cast(User, request.user), request.POST.get("reason", "")
    try:
        void_fact(kind, pk, why=why, person=person, at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, back)
    messages.success(request, "Voided. The figures follow within seconds; as of earlier it stands.")
    return redirect(back)


@require_POST
def judge(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Says something of an incident's link, or of a return."""
    fact = _find(kind, pk)
    if not isinstance(fact, (Incident, Deployment)):
        raise Http404
    back = reverse("fact-detail", args=[kind, pk])
    person, at = cast(User, request.user), timezone.now()
    word, why = request.POST.get("word", ""), request.POST.get("reason", "")
    try:
        if isinstance(fact, Incident):
            chosen = split_fact_id(request.POST.get("deployment", ""))
            key = chosen[1] if chosen and chosen[1] < 2**63 else None
            judge_incident(pk, word, why=why, person=person, at=at, deployment=key)
        else:
            judge_return(pk, word, why=why, person=person, at=at)
    except ThroughlineError as error:
        return refuse(request, error, back)
    messages.success(request, "Said. The figures follow within seconds; as of earlier they stand.")
    return redirect(back)


@require_safe
def list_incidents(request: HttpRequest) -> HttpResponse:
    """The production incidents of the period that are no failure of a deployment, and why."""
    report = open_report(read_asked(request))
    period = report.asked.period
    where = report.where("failures")
    rows = IncidentFact.objects.filter(at__gte=period.starts_at, at__lt=period.ends_at)
    if where.services is not None:
        rows = rows.filter(service__in=where.services)
    if where.environments is not None:
        rows = rows.filter(environment__in=where.environments)
    page = Paginator(rows.select_related("service").order_by("-at", "-pk"), PAGE).get_page(
        request.GET.get("page")
    )
    keys = [split[1] for row in page.object_list if (split := split_fact_id(row.unit))]
    titles = {each.pk: each for each in Incident.objects.filter(pk__in=keys)}
    found = []
    for row in page.object_list:
        split = split_fact_id(row.unit)
        incident = titles.get(split[1]) if split else None
        found.append({"row": row, "incident": incident, "outcome": OUTCOMES[row.outcome]})
    context = {
        "bar": make_bar(report.asked),
        "rows": found,
        "page": page,
        "nav_section": "measure",
    }
    return render(request, "metrics/incident_list.html", context)
