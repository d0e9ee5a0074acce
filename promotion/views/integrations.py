"""Who sends to us, who calls us, and what we call: senders, tokens, connections."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from promotion.actions.issue_token import make_token, revoke_token
from promotion.actions.map_events import may_map
from promotion.configuration_forms import TokenForm
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Connection, Event, Mapping, Sender, Token, User
from promotion.sources.known import SOURCES

from .person import person_of
from .refusing import refuse, status_of
from .rule_lines import list_rules
from .sender_health import BROKEN, Health, read_health
from .unmatched import list_unmatched

UNPLACED = (Event.State.UNMAPPED,)


@require_safe
def list_integrations(request: HttpRequest) -> HttpResponse:
    """Senders first; forms for those who may configure."""
    return _page(request)


@require_POST
@never_cache
def add_token(request: HttpRequest) -> HttpResponse:
    """Makes a token and shows it this once."""
    form = TokenForm(request.POST)
    person = person_of(request)
    if not form.is_valid():
        return _page(request, status=400, token_form=form)
    fields = form.cleaned_data
    try:
        made = make_token(
            fields["name"],
            fields["scopes"],
            user=person if fields["owner"] == "me" else None,
            person=person,
            at=timezone.now(),
            expires_at=fields["expires_at"],
        )
    except InputError as error:
        form.add_problem(error)
        return _page(request, status=status_of(error), token_form=form)
    except ThroughlineError as error:
        return refuse(request, error, reverse("integration-list"))
    shown = {
        "title": f"Token {made.token.name} is made.",
        "text": "It is stored hashed and never shown again. Send it as Authorization: Bearer.",
        "secret": made.text,
    }
    return _page(request, shown=shown)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a token for good."""
    token = get_object_or_404(Token, pk=pk)
    try:
        revoke_token(token.pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("integration-list"))
    messages.success(request, f"Token {token.name} is revoked.")
    return redirect("integration-list")


def _page(
    request: HttpRequest,
    *,
    status: int = 200,
    token_form: TokenForm | None = None,
    shown: dict[str, str] | None = None,
) -> HttpResponse:
    person, at = person_of(request), timezone.now()
    health = read_health(at)
    senders = [_told(sender, at, health.get(sender.pk)) for sender in _senders(at)]
    groups, group_count = list_unmatched()
    context = {
        "senders": senders,
        "tokens": [(token, _state_of(token, at)) for token in _tokens(person)],
        "connections": [
            (one, _without_credentials(one.address))
            for one in Connection.objects.defer("secret", "username", "settings")
        ],
        "may_configure": person.may_configure(),
        "may_map": may_map(person),
        "rules": list_rules(Mapping.objects.all()),
        "groups": groups,
        "more_groups": group_count - len(groups),
        "token_form": token_form or TokenForm(auto_id="token-%s"),
        "open_form": "token" if token_form else "",
        "shown": shown,
        "sentence": _sentence(senders),
    }
    return render(request, "promotion/integration_list.html", context, status=status)


def _senders(at: datetime) -> Any:
    """With what of the last day a page names; secrets are not even read."""
    last = Event.objects.filter(sender=OuterRef("pk")).newest_first().values("received_at")[:1]
    day = Q(events__received_at__gte=at - timedelta(days=1))
    return Sender.objects.defer("secret", "previous_secret").annotate(
        last_at=Subquery(last),
        of_day=Count("events", filter=day),
        broken=Count("events", filter=day & Q(events__state__in=BROKEN)),
        unplaced=Count("events", filter=day & Q(events__state__in=UNPLACED)),
    )


def _told(sender: Any, at: datetime, health: Health | None) -> dict[str, Any]:
    overlap = sender.previous_secret_until
    return {
        "sender": sender,
        "key": str(sender.pk),
        "title": SOURCES[sender.kind].title if sender.kind in SOURCES else sender.kind,
        "url": f"{settings.PUBLIC_URL}/hooks/{sender.slug}",
        "health": health,
        "was_refused": sender.refused_at
        and (not sender.last_at or sender.last_at < sender.refused_at),
        "status": _status_of(sender),
        "overlap_until": overlap if overlap and overlap > at else None,
    }


def _status_of(sender: Any) -> str:
    if not sender.is_active:
        return "skipped"
    if sender.broken:
        return "failed"
    if sender.unplaced:
        return "warned"
    return "passed" if sender.of_day else "unknown"


def _tokens(person: User) -> Any:
    """All of them for those who configure, else one's own."""
    tokens = Token.objects.select_related("user").order_by("-created_at", "-pk")
    return tokens if person.may_configure() else tokens.filter(user=person)


def _state_of(token: Token, at: datetime) -> tuple[str, str]:
    if token.revoked_at:
        return "skipped", "Revoked"
    if token.expires_at and token.expires_at <= at:
        return "skipped", "Ended"
    return "passed", "In use" if token.last_used_at else "Not used yet"


def _without_credentials(address: str) -> str:
    """A URL may have been typed with a password in it."""
    return re.sub(r"//[^/@]*@", "//", address)


def _sentence(senders: list[dict[str, Any]]) -> str:
    if not senders:
        return "No tool sends to us yet."
    count = len(senders)
    active = sum(1 for one in senders if one["sender"].of_day)
    broken = [one["sender"].name for one in senders if one["sender"].broken]
    noun = "sender" if count == 1 else "senders"
    said = f"{active} of {count} {noun} delivered in the last 24 h"
    silent = [
        one["sender"].name
        for one in senders
        if one["sender"].is_active and one["health"] and one["health"].silence_sentence
    ]
    if broken:
        said += f"; something of {', '.join(broken)} could not be read"
    if silent:
        said += f"; {', '.join(silent)} {'is' if len(silent) == 1 else 'are'} unusually silent"
    return f"{said}."
