"""What is unusual: the list, one of them, its dismissal, and all as CSV."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.dismiss_anomaly import dismiss_anomaly, may_dismiss
from metrics.models import Anomaly
from metrics.models.anomaly import AnomalyQuerySet
from metrics.spreadsheets import write_csv
from metrics.unusual.words import MEASURE_WORDS, RULE_HELP, RULE_WORDS, tell_day, tell_value
from promotion.exceptions import ThroughlineError
from promotion.models import Service, User
from promotion.views.refusing import refuse

PAGE, MOST_EXPORTED = 50, 10_000
STATES = (("open", "Open"), ("dismissed", "Dismissed"), ("over", "Over"))
STATUS = {"open": "warned", "dismissed": "skipped", "over": "passed"}
COLUMNS = (
    *("id", "state", "measure", "rule", "service", "environment", "sender", "promotion"),
    *("sentence", "worse", "first_day", "last_day", "value", "unit", "baseline_n", "centre"),
    *("low", "high", "definition", "opened_at", "closed_at"),
    *("dismissed_at", "dismissed_by", "dismissed_reason", "rows"),
)


def choose(state: str, service: str) -> AnomalyQuerySet:
    """Those in a state (open, dismissed, over; else all), of a service where one is named."""
    rows = Anomaly.objects.for_display()
    if state == "open":
        rows = rows.open()
    elif state == "dismissed":
        rows = rows.dismissed()
    elif state == "over":
        rows = rows.over()
    if service:
        rows = rows.filter(service__slug=service.replace("\x00", ""))
    return rows


@require_safe
def list_anomalies(request: HttpRequest) -> HttpResponse:
    """The open ones unless another state is chosen, newest first."""
    state, service = _read(request)
    rows = choose(state, service).order_by("-last_day", "-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    counts = choose("", service).aggregate(
        open=Count("pk", filter=Q(closed_at=None, dismissed_at=None)),
        dismissed=Count("pk", filter=~Q(dismissed_at=None)),
        over=Count("pk", filter=~Q(closed_at=None) & Q(dismissed_at=None)),
    )
    context = {
        "anomalies": [show(anomaly) for anomaly in page.object_list],
        "page": page,
        "state": state,
        "states": [(key, words, counts[key]) for key, words in STATES],
        "service": service,
        "services": Service.objects.order_by("slug").values_list("slug", flat=True),
        "open_count": counts["open"],
        "nav_section": "measure",
    }
    return render(request, "metrics/anomaly_list.html", context)


def _read(request: HttpRequest) -> tuple[str, str]:
    state = request.GET.get("state", "open")
    known = {key for key, _ in STATES}
    return (state if state in known else "open"), request.GET.get("service", "")[:100]


def show(anomaly: Anomaly) -> dict[str, Any]:
    """An anomaly as a page writes it."""
    details, unit = anomaly.details, anomaly.details.get("unit", "count")
    baseline, limits = details.get("baseline", {}), details.get("limits", {})
    low, high = limits.get("low"), limits.get("high")
    has_limits = low is not None or high is not None
    return {
        "anomaly": anomaly,
        "measure": MEASURE_WORDS.get(anomaly.measure, anomaly.measure),
        "rule": RULE_WORDS.get(anomaly.rule, anomaly.rule),
        "help": RULE_HELP.get(anomaly.rule, ""),
        "status": STATUS[anomaly.state],
        "state": dict(STATES)[anomaly.state],
        "value": tell_value(details.get("value"), unit),
        "centre": tell_value(baseline["centre"], unit) if "centre" in baseline else "",
        "limits": f"{tell_value(low, unit)} to {tell_value(high, unit)}" if has_limits else "",
        "baseline_n": baseline.get("n"),
        "baseline_from": baseline.get("from", ""),
        "baseline_to": baseline.get("to", ""),
        "days": tell_day(anomaly.first_day)
        if anomaly.first_day == anomaly.last_day
        else f"{tell_day(anomaly.first_day)} to {tell_day(anomaly.last_day)}",
    }


@require_safe
def show_anomaly(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: its rule, baseline, limits and rows, and the dismissal."""
    anomaly = get_object_or_404(Anomaly.objects.for_display(), pk=pk)
    context = {
        **show(anomaly),
        "may_dismiss": may_dismiss(cast(User, request.user), anomaly),
        "nav_section": "measure",
    }
    return render(request, "metrics/anomaly_detail.html", context)


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Dismisses it with a reason."""
    get_object_or_404(Anomaly, pk=pk)
    back = reverse("anomaly-detail", args=[pk])
    try:
        dismiss_anomaly(
            pk,
            reason=request.POST.get("reason", ""),
            person=cast(User, request.user),
            at=timezone.now(),
        )
    except ThroughlineError as error:
        return refuse(request, error, back)
    messages.success(request, "Dismissed. It stays on record with your reason.")
    return redirect(back)


@require_safe
def export_anomalies(request: HttpRequest) -> HttpResponse:
    """The anomalies chosen, newest first, as CSV."""
    state, service = _read(request)
    found = choose(state, service).order_by("-last_day", "-pk")[:MOST_EXPORTED]
    lines = write_csv([COLUMNS, *map(_write, found)])
    answer = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="anomalies-{state}.csv"'
    return answer


def _write(anomaly: Anomaly) -> Iterable[object]:
    details = anomaly.details
    baseline, limits = details.get("baseline", {}), details.get("limits", {})
    times = (anomaly.opened_at, anomaly.closed_at, anomaly.dismissed_at)
    opened, closed, dismissed = (
        at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else "" for at in times
    )
    worse = {True: "yes", False: "no", None: ""}[anomaly.is_worse]
    return (
        *(anomaly, anomaly.state, anomaly.measure, anomaly.rule),
        anomaly.service.slug if anomaly.service else "",
        anomaly.environment.slug if anomaly.environment else "",
        anomaly.sender.slug if anomaly.sender else "",
        anomaly.promotion.number if anomaly.promotion else "",
        *(anomaly.sentence, worse, anomaly.first_day, anomaly.last_day),
        *(details.get("value"), details.get("unit")),
        *(baseline.get("n"), baseline.get("centre"), limits.get("low"), limits.get("high")),
        *(anomaly.definition, opened, closed, dismissed),
        anomaly.dismissed_by.get_username() if anomaly.dismissed_by else "",
        *(anomaly.dismissed_reason, anomaly.rows),
    )
