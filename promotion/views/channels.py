"""Channels: chats and webhooks that hear of what happens."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from promotion.actions.channels import (
    ChannelSecret,
    channels_for,
    deliveries_of,
    find_channel,
    make_channel,
    rotate_channel,
    teams_for,
    try_channel,
    turn_channel,
)
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import NoticeKind, NotificationChannel, NotificationDelivery
from promotion.notification_forms import ChannelForm

from .person import person_of
from .refusing import refuse, status_of

LIST = "notification-channels"
DELIVERIES_SHOWN = 20
# Of a channel that was never told anything.
NEVER: dict[str, Any] = {"last": None, "failing": 0, "given_up": 0}
KINDS: dict[str, str] = dict(NoticeKind.choices)


@require_safe
def list_channels(request: HttpRequest) -> HttpResponse:
    """The channels the person may manage, and how well they are told."""
    return _list(request)


@require_POST
@never_cache
def add(request: HttpRequest) -> HttpResponse:
    """Makes a channel and shows the secret that signs, this once."""
    person = person_of(request)
    form = ChannelForm(person, request.POST)
    if not form.is_valid():
        return _list(request, form=form, status=400)
    try:
        made = make_channel(form.wanted, person=person, at=timezone.now())
    except InputError as error:
        form.add_problem(error)
        return _list(request, form=form, status=status_of(error))
    except ThroughlineError as error:
        return refuse(request, error, reverse(LIST))
    if made.secret:
        return _page(request, made.channel, shown=made)
    messages.success(request, f"{made.channel.name} is made. Send a test to see it arrive.")
    return redirect("notification-channel", made.channel.pk)


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One channel with its last deliveries and what went wrong."""
    try:
        channel = find_channel(pk, person_of(request))
    except NotificationChannel.DoesNotExist as error:
        raise Http404 from error
    except ThroughlineError as error:
        return refuse(request, error, reverse("notification-list"))
    return _page(request, channel)


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends a test at once and says what the far side answered."""
    try:
        status = try_channel(pk, person=person_of(request), at=timezone.now())
    except NotificationChannel.DoesNotExist as error:
        raise Http404 from error
    except ThroughlineError as error:
        return refuse(request, error, reverse("notification-channel", args=[pk]))
    messages.success(request, f"The test arrived: it was answered with {status}.")
    return redirect("notification-channel", pk)


@require_POST
@never_cache
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret, shown this once."""
    try:
        made = rotate_channel(pk, person=person_of(request), at=timezone.now())
    except NotificationChannel.DoesNotExist as error:
        raise Http404 from error
    except ThroughlineError as error:
        return refuse(request, error, reverse("notification-channel", args=[pk]))
    return _page(request, made.channel, shown=made)


@require_POST
def turn(request: HttpRequest, pk: int) -> HttpResponse:
    """On or off."""
    is_active = request.POST.get("to") == "on"
    try:
        channel = turn_channel(pk, is_active, person=person_of(request), at=timezone.now())
    except NotificationChannel.DoesNotExist as error:
        raise Http404 from error
    except ThroughlineError as error:
        return refuse(request, error, reverse("notification-channel", args=[pk]))
    messages.success(request, f"{channel.name} is {'on' if is_active else 'off'}.")
    return redirect("notification-channel", pk)


def _list(
    request: HttpRequest, *, form: ChannelForm | None = None, status: int = 200
) -> HttpResponse:
    person = person_of(request)
    channels = channels_for(person)
    may_add = person.may_configure() or teams_for(person).exists()
    health = _health(channels)
    context = {
        "channels": [(one, _kinds(one), health.get(one.pk, NEVER)) for one in channels],
        "may_add": may_add,
        "form": (form or ChannelForm(person)) if may_add else None,
        "is_open": form is not None or not channels,
        "nav_section": "notification-list",
    }
    return render(request, "promotion/channel_list.html", context, status=status)


def _health(channels: list[NotificationChannel]) -> dict[int, dict[str, Any]]:
    """Of each: when the last message arrived, how many wait with an error, how many were given up."""
    rows = (
        NotificationDelivery.objects.filter(channel__in=[one.pk for one in channels])
        .values("channel")
        .annotate(
            last=Max("done_at"),
            failing=Count("pk", Q(done_at=None, given_up_at=None) & ~Q(last_error="")),
            given_up=Count("pk", Q(given_up_at__isnull=False)),
        )
    )
    return {row["channel"]: dict(row) for row in rows}


def _page(
    request: HttpRequest, channel: NotificationChannel, *, shown: ChannelSecret | None = None
) -> HttpResponse:
    at = timezone.now()
    until = channel.previous_secret_until
    context = {
        "channel": channel,
        "kinds": _kinds(channel),
        "services": list(channel.services.all()),
        "environments": list(channel.environments.all()),
        "deliveries": [
            (one, _state(one))
            for one in deliveries_of(channel).order_by("-created_at", "-pk")[:DELIVERIES_SHOWN]
        ],
        "health": _health([channel]).get(channel.pk, NEVER),
        "shown": shown,
        "is_signed": channel.form == NotificationChannel.Form.WEBHOOK,
        "overlap_until": until if until and until > at else None,
        "nav_section": "notification-list",
    }
    return render(request, "promotion/channel_detail.html", context)


def _kinds(channel: NotificationChannel) -> list[str]:
    return [KINDS[kind] for kind in channel.kinds if kind in KINDS]


def _state(delivery: NotificationDelivery) -> tuple[str, str]:
    if delivery.done_at:
        return "passed", "Arrived"
    if delivery.given_up_at:
        return "failed", "Given up"
    return ("warned", "Tried again") if delivery.last_error else ("waiting", "On its way")
