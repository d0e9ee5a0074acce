"""What arrived, what each event became, or why it became nothing; and processing one again."""

import contextlib
import json
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from promotion import tasks
from promotion.actions.confirm_subscription import confirm_subscription, subscription_of
from promotion.actions.map_events import may_map
from promotion.actions.receive import SECRET_HEADERS
from promotion.actions.replay import may_replay, replay_event
from promotion.exceptions import ThroughlineError
from promotion.models import (
    Artifact,
    Build,
    DeploymentReport,
    Event,
    Incident,
    Observation,
    Sender,
    Service,
)
from promotion.sources.known import SOURCES

from .event_outcome import list_outcome
from .keyset import asked, take_slice
from .person import person_of
from .refusing import refuse
from .unmatched import list_unmatched

STATUS = {
    Event.State.RECEIVED: "waiting",
    Event.State.RECORDED: "passed",
    Event.State.NOTHING: "skipped",
    Event.State.UNMAPPED: "warned",
    Event.State.IGNORED: "skipped",
    Event.State.UNREADABLE: "failed",
    Event.State.ERRORED: "failed",
}
FILTERS = ("sender", "source", "state", "service", "lacks", "speaks_of")
SECRET_WORDS = ("authorization", "cookie", "token", "secret", "password", "api-key", "apikey")
HIDDEN = "(hidden)"
BODY_SHOWN = 20_000
LARGEST_PARSED = 1_000_000


@require_safe
def list_events(request: HttpRequest) -> HttpResponse:
    """Newest first; filters by sender, source, state and service stand in the address."""
    filters = {name: asked(request, name) for name in FILTERS}
    groups, group_count = ([], 0) if any(filters.values()) else list_unmatched()
    rows = _filtered(filters).select_related("sender", "token").defer("body", "headers", "outcome")
    page = take_slice(rows, "received_at", asked(request, "cursor"))
    context = {
        "events": [(event, STATUS.get(Event.State(event.state), "unknown")) for event in page.rows],
        "page": page,
        "filters": filters,
        "is_filtered": any(filters.values()),
        "senders": Sender.objects.order_by("name").only("slug", "name"),
        "sources": [(kind, source.title) for kind, source in SOURCES.items()],
        "states": Event.State.choices,
        "services": Service.objects.only("slug"),
        "sentence": _sentence(),
        "groups": groups,
        "more_groups": group_count - len(groups),
        "may_map": bool(groups) and may_map(person_of(request)),
    }
    return render(request, "promotion/event_list.html", context)


@require_safe
def show_event(request: HttpRequest, pk: int) -> HttpResponse:
    """One event whole: what it became, what was taken from it, headers and body."""
    event = get_object_or_404(Event.objects.select_related("sender", "token"), pk=pk)
    text, is_whole = show_body(bytes(event.body))
    context = {
        "event": event,
        "status": STATUS.get(Event.State(event.state), "unknown"),
        "source": SOURCES[event.source].title if event.source in SOURCES else event.source,
        "outcome": list_outcome(event.outcome),
        "headers": sorted(
            (name, _shown(name, str(value))) for name, value in event.headers.items()
        ),
        "body": text,
        "body_is_whole": is_whole,
        "body_size": len(event.body),
        "may_replay": may_replay(person_of(request)),
        "asks_to_confirm": bool(subscription_of(event)) and person_of(request).may_configure(),
        "is_waiting": event.state == Event.State.RECEIVED,
    }
    return render(request, "promotion/event_detail.html", context)


@require_safe
def download_body(_: HttpRequest, pk: int) -> HttpResponse:
    """The bytes as they arrived; always a plain text to keep, never a page of ours."""
    event = get_object_or_404(Event.objects.only("body"), pk=pk)
    response = HttpResponse(bytes(event.body), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="event-{pk}.txt"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Processes the event again."""
    event = get_object_or_404(Event.objects.only("pk"), pk=pk)
    try:
        replay_event(event.pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, f"/events/{pk}/")
    tasks.process.delay_on_commit(event.pk)
    messages.success(request, f"Event {pk} is processed again. Reload to see what it became.")
    return redirect("event-detail", pk)


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirms the subscription that the event asks for."""
    event = get_object_or_404(Event.objects.only("pk"), pk=pk)
    try:
        confirm_subscription(event.pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, f"/events/{pk}/")
    messages.success(request, "SNS confirmed the subscription; its messages arrive from now on.")
    return redirect("event-detail", pk)


def show_body(body: bytes) -> tuple[str, bool]:
    """The body as text, JSON laid out, and whether that is all of it."""
    text = body.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
    if len(body) <= LARGEST_PARSED:
        # What is not JSON is shown as it is.
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text[:BODY_SHOWN], len(text) <= BODY_SHOWN


def _shown(name: str, value: str) -> str:
    """Hidden when it was taken in already; hidden here as well, should a name have slipped through."""
    lower = name.lower()
    is_secret = lower in SECRET_HEADERS or any(word in lower for word in SECRET_WORDS)
    return HIDDEN if is_secret else value


def _filtered(filters: dict[str, str]) -> Any:
    rows = Event.objects.all()
    if filters["sender"]:
        rows = rows.filter(sender__slug=filters["sender"])
    if filters["source"]:
        rows = rows.filter(source=filters["source"])
    if filters["state"]:
        rows = rows.filter(state=filters["state"])
    if filters["lacks"]:
        rows = rows.filter(lacks=filters["lacks"], speaks_of=filters["speaks_of"])
    if filters["service"]:
        rows = rows.filter(_speaks_of(filters["service"]))
    return rows


def _speaks_of(service: str) -> Q:
    """Events from which a fact of the service was recorded."""
    speaks = Q()
    for facts in (
        Build.objects.filter(service__slug=service),
        Artifact.objects.filter(service__slug=service),
        Observation.objects.filter(service__slug=service),
        Incident.objects.filter(service__slug=service),
        DeploymentReport.objects.filter(deployment__service__slug=service),
    ):
        speaks |= Q(pk__in=facts.exclude(event=None).values("event"))
    return speaks


def _sentence() -> str:
    """What the last day brought, and what of it needs somebody."""
    since = timezone.now() - timedelta(days=1)
    counts = Event.objects.filter(received_at__gte=since).aggregate(
        all=Count("pk"),
        unmapped=Count("pk", filter=Q(state=Event.State.UNMAPPED)),
        unreadable=Count("pk", filter=Q(state__in=[Event.State.UNREADABLE, Event.State.ERRORED])),
        waiting=Count("pk", filter=Q(state=Event.State.RECEIVED)),
    )
    if not counts["all"]:
        return "Nothing arrived in the last 24 h."
    words = (
        ("unmapped", "matches no service or environment", "match no service or environment"),
        ("unreadable", "could not be read", "could not be read"),
        ("waiting", "waits to be processed", "wait to be processed"),
    )
    trouble = ", ".join(
        f"{counts[name]:,} {one if counts[name] == 1 else many}"
        for name, one, many in words
        if counts[name]
    )
    noun = "event" if counts["all"] == 1 else "events"
    return (
        f"{counts['all']:,} {noun} in the last 24 h; {trouble or 'every one was read and placed'}."
    )
