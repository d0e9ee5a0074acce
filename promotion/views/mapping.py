"""Mapping events to the catalog: rules tried before they are saved, services made, events ignored."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from promotion import tasks
from promotion.actions.map_events import (
    PATTERNS,
    create_service,
    delete_rule,
    may_map,
    save_rule,
)
from promotion.actions.try_rule import Tried, try_rule
from promotion.exceptions import InputError, ThroughlineError
from promotion.mapping_forms import FIELDS, IgnoreForm, RuleForm, ServiceForm
from promotion.models import Mapping

from .keyset import asked
from .person import person_of
from .refusing import refuse, status_of

PLACED_AGAIN = "Kept events that belong elsewhere now are processed again."


@require_http_methods(["GET", "HEAD", "POST"])
def edit_rule(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Typed, tried on stored events, saved; a GET may bring patterns along."""
    rule = Mapping() if pk is None else get_object_or_404(Mapping, pk=pk)
    if request.method != "POST":
        return _show_rule(request, rule, RuleForm(initial=_initial(request, rule)))
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _show_rule(request, rule, form, status=400)
    form.fill(rule)
    try:
        if request.POST.get("act") != "save":
            return _show_rule(request, rule, form, tried=try_rule(rule))
        save_rule(rule, person=person_of(request), at=timezone.now())
    except InputError as error:
        form.add_problem(error)
        return _show_rule(request, rule, form, status=status_of(error))
    except ThroughlineError as error:
        return refuse(request, error, reverse("integration-list"))
    word = "saved" if rule.is_active else "saved and switched off"
    return _done(request, f"Rule {rule.pk} is {word}. {PLACED_AGAIN}")


@require_POST
def remove_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a rule."""
    get_object_or_404(Mapping.objects.only("pk"), pk=pk)
    try:
        delete_rule(pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("integration-list"))
    return _done(request, f"Rule {pk} is deleted. What was recorded by it stays.")


@require_POST
def ignore(request: HttpRequest) -> HttpResponse:
    """Makes a rule that ignores a group of events."""
    form = IgnoreForm(request.POST)
    if not form.is_valid():
        error = InputError("The names to be ignored are too long. Nothing was changed.")
        return refuse(request, error, reverse("event-list"))
    rule = Mapping(is_ignored=True, **form.cleaned_data)
    try:
        save_rule(rule, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("event-list"))
    return _done(request, f"Rule {rule.pk} ignores them, and those to come.")


@require_http_methods(["GET", "HEAD", "POST"])
def add_service(request: HttpRequest) -> HttpResponse:
    """A service made of what matched none."""
    if request.method != "POST":
        initial = {name: asked(request, name) for name in ("slug", "repository")}
        return _show_service(request, ServiceForm(initial=initial))
    form = ServiceForm(request.POST)
    if not form.is_valid():
        return _show_service(request, form, status=400)
    try:
        service = create_service(**form.cleaned_data, person=person_of(request), at=timezone.now())
    except InputError as error:
        form.add_problem(error)
        return _show_service(request, form, status=status_of(error))
    except ThroughlineError as error:
        return refuse(request, error, reverse("event-list"))
    return _done(request, f"Service {service.slug} is made. {PLACED_AGAIN}")


def _done(request: HttpRequest, sentence: str) -> HttpResponse:
    tasks.place_again.delay_on_commit(person_of(request).pk)
    messages.success(request, sentence)
    return redirect(f"{reverse('integration-list')}#rules-title")


def _initial(request: HttpRequest, rule: Mapping) -> dict[str, Any]:
    if rule.pk is None:
        brought = {name: asked(request, name) for name in (*PATTERNS, "sender", "environment")}
        return {"priority": 100} | {name: value for name, value in brought.items() if value}
    initial = {name: getattr(rule, name) for name in FIELDS} | {"is_off": not rule.is_active}
    for name in ("sender", "service", "environment"):
        initial[name] = initial[name].slug if initial[name] else ""
    return initial


def _show_rule(
    request: HttpRequest,
    rule: Mapping,
    form: RuleForm,
    *,
    tried: Tried | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "rule": rule,
        "form": form,
        "tried": tried,
        "may_map": may_map(person_of(request)),
        "nav_section": "integration",
    }
    return render(request, "promotion/rule.html", context, status=status)


def _show_service(request: HttpRequest, form: ServiceForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "may_map": may_map(person_of(request)),
        "nav_section": "integration",
    }
    return render(request, "promotion/service_new.html", context, status=status)
