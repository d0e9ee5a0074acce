"""What people wrote at dates of the charts: the list, and writing, changing and taking away."""

from datetime import date
from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.annotate import (
    Note,
    annotate,
    change_annotation,
    may_annotate,
    remove_annotation,
    team_of,
)
from metrics.models import Annotation
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Service, Team, User
from promotion.views.refusing import refuse

from .filtering import read_asked

PAGE = 50


@require_safe
def list_annotations(request: HttpRequest) -> HttpResponse:
    """All of them, newest day first, with the form for another."""
    person = cast(User, request.user)
    rows = (
        Annotation.objects.filter(removed_at=None)
        .select_related("team", "service__team", "made_by")
        .order_by("-day", "-pk")
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    asked = read_asked(request)
    may = {team.pk: may_annotate(person, team) for team in Team.objects.all()}
    may_all = may_annotate(person, None)
    context = {
        "rows": [
            (each, may.get(team.pk, False) if (team := team_of(each)) else may_all)
            for each in page.object_list
        ],
        "page": page,
        "may_all": may_all,
        "teams": [team for team in Team.objects.all() if may[team.pk]],
        "services": [one for one in Service.objects.order_by("slug") if may[one.team_id]],
        "chosen": asked.filters,
        "query": request.GET.urlencode(),
        "nav_section": "measure",
    }
    return render(request, "metrics/annotation_list.html", context)


def _read(request: HttpRequest) -> Note:
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError as error:
        raise InputError(
            "The date is a day such as 2026-11-23. Nothing was changed.", key="day"
        ) from error
    kind, _, slug = request.POST.get("scope", "").replace("\x00", "").partition(":")
    return Note(
        day=day,
        text=request.POST.get("text", ""),
        team=slug if kind == "team" else "",
        service=slug if kind == "service" else "",
    )


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Writes at a day."""
    try:
        annotate(_read(request), person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("annotation-list"))
    messages.success(request, "Written. It stands in the charts of its scope.")
    return redirect("annotation-list")


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other words, or another day."""
    get_object_or_404(Annotation, pk=pk)
    try:
        change_annotation(pk, _read(request), person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("annotation-list"))
    messages.success(request, "Changed. The audit log holds what it said before.")
    return redirect("annotation-list")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes it away."""
    get_object_or_404(Annotation, pk=pk)
    try:
        remove_annotation(pk, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("annotation-list"))
    messages.success(request, "Taken away. It stays in the audit log.")
    return redirect("annotation-list")
