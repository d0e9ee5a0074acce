"""One sender: set up step by step, its deliveries and rules, its secret, on and off."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from promotion import tasks
from promotion.actions.connect_sender import (
    believe_signature,
    make_sender,
    rotate_secret,
    set_active,
)
from promotion.actions.map_events import may_map
from promotion.actions.take_delivery import send_test
from promotion.configuration_forms import OwnSecretForm, SenderForm, SignatureForm
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Event, Mapping, Sender
from promotion.rules.severity import CHOICES
from promotion.sources.known import SOURCES
from promotion.sources.own_keys.known import OWN_KEYS
from promotion.sources.setup import setup_of

from .events import STATUS
from .keyset import asked
from .person import person_of
from .refusing import refuse, status_of
from .rule_lines import list_rules
from .sender_health import read_health_of
from .unmatched import list_unmatched

DELIVERIES_SHOWN = 20


@require_safe
def choose_kind(request: HttpRequest) -> HttpResponse:
    """First the tool, found by its name; then the sender's own name and address."""
    kind, words = asked(request, "kind"), asked(request, "q")
    source = SOURCES.get(kind)
    if source is None:
        return _show_form(request, None, words=words)
    initial = {"kind": kind, "name": source.title, "slug": _free_slug(kind)}
    return _show_form(request, SenderForm(initial=initial, auto_id="sender-%s"))


@require_POST
@never_cache
def add_sender(request: HttpRequest) -> HttpResponse:
    """Makes a sender and shows its secret this once."""
    form = SenderForm(request.POST, auto_id="sender-%s")
    person = person_of(request)
    if not form.is_valid():
        return _show_form(request, form, status=400)
    fields = form.cleaned_data
    try:
        made = make_sender(
            fields["slug"], fields["name"], fields["kind"], person=person, at=timezone.now()
        )
    except InputError as error:
        form.add_problem(error)
        return _show_form(request, form, status=status_of(error))
    except ThroughlineError as error:
        return refuse(request, error, reverse("integration-list"))
    return _page(request, made.sender, shown=_shown(made.sender, made.secret, "is made"))


@require_safe
def show_sender(request: HttpRequest, slug: str) -> HttpResponse:
    """What it delivered lately, what to set at the tool, its rules."""
    return _page(request, _found(slug))


@require_safe
def show_last(request: HttpRequest, slug: str) -> HttpResponse:
    """The line of the last delivery, for the page that waits for it."""
    context = _last_of(_found(slug))
    return render(request, "promotion/_last_delivery.html", context)


@require_POST
@never_cache
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives a sender a new secret and shows it this once."""
    sender = get_object_or_404(Sender.objects.defer("secret", "previous_secret"), pk=pk)
    try:
        made = rotate_secret(sender.pk, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, _address(sender))
    return _page(request, made.sender, shown=_shown(made.sender, made.secret, "has a new secret"))


@require_POST
def take_own_secret(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes over a secret that the tool made itself; it is not shown again."""
    sender, form = _found(slug), OwnSecretForm(request.POST)
    if not form.is_valid():
        return _page(request, sender, secret_form=form, status=400)
    at, given = timezone.now(), form.cleaned_data["given"]
    try:
        rotate_secret(sender.pk, person=person_of(request), at=at, given=given)
    except InputError as error:
        form.add_problem(error)
        return _page(request, sender, secret_form=form, status=status_of(error))
    except ThroughlineError as error:
        return refuse(request, error, _address(sender))
    messages.success(request, f"{sender.name} is accepted by the tool's own secret from now on.")
    return redirect("sender-detail", slug)


@require_POST
def take_signature(request: HttpRequest, slug: str) -> HttpResponse:
    """Believes the tool's own signature and nothing else, or the secret again."""
    sender = _found(slug)
    own = OWN_KEYS.get(sender.kind)
    if own is None:
        raise Http404
    form = SignatureForm(own, request.POST)
    if not form.is_valid():
        return _page(request, sender, signature_form=form, status=400)
    said = form.cleaned_data["signed_by"]
    try:
        now = believe_signature(sender.pk, said, person=person_of(request), at=timezone.now())
    except InputError as error:
        form.add_problem(error)
        return _page(request, sender, signature_form=form, status=status_of(error))
    except ThroughlineError as error:
        return refuse(request, error, _address(sender))
    proof = f"the signature of {now.signed_by}" if now.signed_by else "its secret"
    messages.success(request, f"{sender.name} is accepted by {proof} from now on.")
    return redirect("sender-detail", slug)


@require_POST
def deliver_test(request: HttpRequest, slug: str) -> HttpResponse:
    """Delivers a signed test to ourselves; what became of it stands with the deliveries."""
    sender = _found(slug)
    try:
        received = send_test(slug, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, _address(sender))
    tasks.process.delay_on_commit(received.event.pk)
    messages.success(
        request, f"The test was signed, accepted and kept as event {received.event.pk}."
    )
    return redirect("sender-detail", slug)


@require_POST
def turn(request: HttpRequest, slug: str) -> HttpResponse:
    """Turns it on or off."""
    sender, is_active = _found(slug), request.POST.get("to") == "on"
    try:
        set_active(sender.pk, is_active, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, _address(sender))
    messages.success(request, f"{sender.name} is {'on' if is_active else 'off'}.")
    return redirect("sender-detail", slug)


def _show_form(
    request: HttpRequest, form: SenderForm | None, *, words: str = "", status: int = 200
) -> HttpResponse:
    titles = sorted((source.title, kind) for kind, source in SOURCES.items())
    titles.sort(key=lambda one: one[0].lower())
    fitting = [one for one in titles if words.lower() in one[0].lower() or words.lower() in one[1]]
    context = {
        "form": form,
        "words": words,
        "kinds": fitting,
        "may_configure": person_of(request).may_configure(),
        "address_begin": f"{settings.PUBLIC_URL}/hooks/",
        "nav_section": "integration",
    }
    return render(request, "promotion/sender_new.html", context, status=status)


def _page(
    request: HttpRequest,
    sender: Sender,
    *,
    shown: dict[str, str] | None = None,
    secret_form: OwnSecretForm | None = None,
    signature_form: SignatureForm | None = None,
    status: int = 200,
) -> HttpResponse:
    at, person = timezone.now(), person_of(request)
    source = SOURCES.get(sender.kind)
    address = f"{settings.PUBLIC_URL}/hooks/{sender.slug}"
    secret = {"secret": shown["secret"]} if shown else {}
    groups, group_count = list_unmatched(sender)
    health = read_health_of(sender, at)
    rows = Event.objects.filter(sender=sender).newest_first().defer("body", "headers", "outcome")
    context = {
        **_last_of(sender),
        "tool": source.title if source else sender.kind,
        "address": address,
        "setup": setup_of(source, address=address, **secret) if source else None,
        "shown": shown,
        "health": health,
        "deliveries": [
            (one, STATUS.get(Event.State(one.state), "unknown")) for one in rows[:DELIVERIES_SHOWN]
        ],
        "rules": list_rules(Mapping.objects.filter(sender=sender)),
        "groups": groups,
        "more_groups": group_count - len(groups),
        "overlap_until": _overlap(sender, at),
        "secret_form": secret_form or OwnSecretForm(),
        "signature_form": signature_form or _signature_form(sender),
        "may_configure": person.may_configure(),
        "severities": CHOICES,
        "may_map": may_map(person),
        "nav_section": "integration",
    }
    return render(request, "promotion/sender_detail.html", context, status=status)


def _signature_form(sender: Sender) -> SignatureForm | None:
    """Of tools that sign with a key of their own."""
    own = OWN_KEYS.get(sender.kind)
    return SignatureForm(own, initial={"signed_by": sender.signed_by}) if own else None


def _last_of(sender: Sender) -> dict[str, Any]:
    """The last that came: taken in or refused, whichever is later."""
    last = Event.objects.filter(sender=sender).newest_first().defer("body", "headers").first()
    refused_at = sender.refused_at
    was_refused = refused_at is not None and (last is None or last.received_at < refused_at)
    return {"sender": sender, "last": last, "was_refused": was_refused}


def _overlap(sender: Sender, at: datetime) -> datetime | None:
    until = sender.previous_secret_until
    return until if until and until > at else None


def _shown(sender: Sender, secret: str, what: str) -> dict[str, str]:
    after = (
        "Set it at the tool; it is never shown again."
        if what == "is made"
        else "Set it at the tool within 24 h: until then the one before is accepted as well."
        " It is never shown again."
    )
    return {"title": f"Sender {sender.name} {what}.", "text": after, "secret": secret}


def _found(slug: str) -> Sender:
    return get_object_or_404(Sender.objects.defer("secret", "previous_secret"), slug=slug)


def _address(sender: Sender) -> str:
    return reverse("sender-detail", args=[sender.slug])


def _free_slug(kind: str) -> str:
    """The kind, with a number where that is taken."""
    taken = set(Sender.objects.filter(slug__startswith=kind).values_list("slug", flat=True))
    numbered = (f"{kind}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (kind, *numbered) if slug not in taken)
