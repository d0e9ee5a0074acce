"""Asking for a promotion: choose what goes where, see the verdict, then ask."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from promotion.actions.content import current_version
from promotion.actions.preview import Preview, preview_request
from promotion.actions.promote import Request, ask_for_promotion
from promotion.exceptions import InputError, ThroughlineError
from promotion.forms import RequestForm
from promotion.models import Environment, Release, Service, User
from promotion.rules.deciding import Move

from .approval_panel import seats_to_fill
from .gate_rows import count_gates, gate_rows
from .person import person_of
from .promotion_actions import say_asked
from .refusing import status_of

RELEASES_OFFERED = 50
PAGE = "promotion/promotion_new.html"


@dataclass(slots=True)
class Chosen:
    """What was chosen so far; the later ones may still be open."""

    service: Service | None = None
    release: Release | None = None
    environment: Environment | None = None


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """GET shows the choices and the verdict and changes nothing; POST asks."""
    sent = request.POST if request.method == "POST" else None
    chosen, at = _chosen(request.GET if sent is None else sent), timezone.now()
    context = _choices(chosen)
    if chosen.release is None or chosen.environment is None:
        return render(request, PAGE, context, status=200 if sent is None else 400)
    wish = Request(chosen.release, chosen.environment, person=person_of(request))
    try:
        preview = preview_request(wish, at=at)
    except ThroughlineError as error:
        return render(request, PAGE, context | {"problem": error.sentence}, status=status_of(error))
    form, status = RequestForm(preview.plan.stage, sent), 200
    if sent is not None:
        status = 400
        if form.is_valid():
            try:
                return _ask(request, wish, form, at)
            except InputError as error:
                form.add_problem(error)
            except ThroughlineError as error:
                context["problem"], status = error.sentence, status_of(error)
    context |= _verdict_context(preview, person_of(request), at) | {"form": form}
    return render(request, PAGE, context, status=status)


def _ask(request: HttpRequest, wish: Request, form: RequestForm, at: datetime) -> HttpResponse:
    given = form.cleaned_data
    wish = replace(wish, kind=given["kind"], fields=form.answers, not_before=given["not_before"])
    asked = ask_for_promotion(wish, at=at)
    say_asked(request, asked)
    return redirect("promotion-detail", number=asked.promotion.pk)


def _chosen(query: QueryDict) -> Chosen:
    chosen = Chosen()
    key = query.get("release", "")
    if key.isascii() and key.isdecimal() and len(key) < 19:
        rows = Release.objects.select_related("service__team").prefetch_related("artifacts")
        chosen.release = rows.filter(pk=int(key)).first()
    slug = query.get("service", "").replace("\x00", "")
    if slug:
        chosen.service = Service.objects.select_related("team").filter(slug=slug).first()
    if chosen.release and chosen.service not in (None, chosen.release.service):
        chosen.release = None  # another service was chosen since
    elif chosen.release:
        chosen.service = chosen.release.service
    place = query.get("environment", "").replace("\x00", "")
    if place:
        chosen.environment = Environment.objects.filter(slug=place).first()
    return chosen


def _choices(chosen: Chosen) -> dict[str, Any]:
    context: dict[str, Any] = {
        "chosen": chosen,
        "services": Service.objects.select_related("team"),
        "nav_section": "promotion-list",
    }
    if chosen.service is None:
        return context
    releases = list(chosen.service.releases.newest_first()[:RELEASES_OFFERED])
    if chosen.release and chosen.release not in releases:
        releases.append(chosen.release)
    try:
        stages = current_version(chosen.service).form.stages
    except InputError as error:
        return context | {"releases": releases, "problem": error.sentence}
    slugs = [stage.environment for stage in stages]
    places = {place.slug: place for place in Environment.objects.filter(slug__in=slugs)}
    return context | {
        "releases": releases,
        "places": [places[slug] for slug in slugs if slug in places],
    }


def _verdict_context(preview: Preview, person: User, at: datetime) -> dict[str, Any]:
    rows = gate_rows(preview.results)
    seats, is_deadlocked = seats_to_fill(preview.promotion, at)
    return {
        "seats": seats,
        "is_deadlocked": is_deadlocked,
        "earliest": _earliest(preview, at),
        "preview": preview,
        "gates": rows,
        "gate_counts": count_gates(rows),
        "verdict": _verdict(preview, at),
        "refusal": _refusal(person, preview.promotion.release),
    }


def _verdict(preview: Preview, at: datetime) -> dict[str, Any]:
    """The sentence before the click, its status, and when it could go."""
    decision = preview.decision
    if preview.returned:
        return {
            "status": "waiting",
            "title": f"{preview.returned.number} asks for this already.",
            "text": "Asking again shows that one and changes nothing.",
        }
    if decision.move is Move.START:
        return {"status": "passed", "title": "It would start at once.", "text": decision.reason}
    if any(one.is_required and one.verdict == "closed" for one in preview.results):
        title = "It would be held until somebody changes something."
        return {"status": "blocked", "title": title, "text": decision.reason}
    earliest = decision.earliest if decision.earliest and decision.earliest > at else None
    return {
        "status": "waiting",
        "title": "It would wait.",
        "text": decision.reason,
        "earliest": earliest,
    }


def _earliest(preview: Preview, at: datetime) -> str | datetime:
    """When it could start by itself, in words where that is now or not known."""
    if preview.decision.move is Move.START:
        return "at once"
    earliest = preview.decision.earliest
    if earliest is None:
        return "not known: it waits for what somebody does or what arrives"
    return earliest if earliest > at else "at once"


def _refusal(person: User, release: Release) -> str:
    """Why the person's asking would be refused; empty where it would not."""
    if release.is_vetoed:
        return f"{release} was vetoed: {release.veto_reason}"
    team = release.service.team
    if person.may_ask(team):
        return ""
    return f"Asking for promotions of {release.service.slug} takes a member or release manager of {team.name}."
