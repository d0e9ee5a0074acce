"""Our own intake with a token: one fact, a list, NDJSON, or CloudEvents; and what an event became."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from promotion.actions.receive import receive
from promotion.exceptions import InputError, NotAllowedError
from promotion.hinting import hint_on_commit
from promotion.models import Event, Token
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from promotion.sources.reading import read_elements

from .authentication import token_of
from .parsing import AnyParser
from .queries import EventQuery
from .reads import RowDetail, RowList
from .schema import problems
from .serializers import EventSerializer
from .webhooks import delivery_of

READING = (Token.Scope.READ.value, Token.Scope.EVENTS.value)
SENT_BY_TOKEN = "Events are sent with a token of scope 'events'. Nothing was kept."  # noqa: S105


class AcceptedSerializer(serializers.Serializer[Any]):
    """What is answered at once."""

    event = serializers.IntegerField()
    duplicate = serializers.BooleanField()
    url = serializers.CharField()


class EventList(RowList[Event]):
    """The events, the one that came last first; and the way in."""

    operation = "list_events"
    scope = Token.Scope.EVENTS
    read_scopes = READING
    parser_classes = (AnyParser,)
    serializer_class = EventSerializer
    query = EventQuery

    def get_queryset(self) -> "QuerySet[Event]":
        """Those the token may see."""
        return visible_events(self.request)

    @extend_schema(
        operation_id="send_events",
        request={"application/json": OpenApiTypes.OBJECT, "application/x-ndjson": OpenApiTypes.STR},
        responses={202: AcceptedSerializer, **problems(400, 413)},
    )
    def post(self, request: Request) -> Response:
        """Keeps the body and answers 202; unreadable bytes are refused with 400 and not kept."""
        token = token_of(request)
        if token is None:  # before anything is read: a form may have been, to prove the session
            raise NotAllowedError(SENT_BY_TOKEN)
        return take_in(delivery_of(request._request), token, timezone.now())


class EventDetail(RowDetail[Event]):
    """An event without its bytes, and what it became."""

    operation = "read_event"
    read_scopes = READING
    serializer_class = EventSerializer

    def get_queryset(self) -> "QuerySet[Event]":
        """Those the token may see."""
        return visible_events(self.request)


def visible_events(request: Request) -> "QuerySet[Event]":
    """All without their bytes; a token that may only send sees its own."""
    events = Event.objects.select_related("sender").defer("body", "headers", "sender__secret")
    token = token_of(request)
    if token is not None and Token.Scope.READ not in token.scopes:
        return events.filter(token=token)
    return events


def take_in(
    delivery: Delivery, token: Token | None, at: datetime, *, kind: str = "generic"
) -> Response:
    """Keeps what can be read and answers 202; whoever sends it again gets the same answer."""
    if token is None:
        raise NotAllowedError(SENT_BY_TOKEN)
    source = SOURCES[kind]
    try:
        # Whether it can be read at all; what its parts become is told once it was processed.
        if kind == "generic":
            read_elements(delivery)
        else:
            source.normalise(delivery)
    except InputError as error:
        raise InputError(f"{error.sentence} Nothing was kept.") from error
    received = receive(source, delivery, sender=None, token=token, at=at)
    if received.is_new:
        hint_on_commit(received.event.pk)
    event = received.event.pk
    body = {
        "event": event,
        "duplicate": not received.is_new,
        "url": reverse("api-event", args=[event]),
    }
    return Response(body, status=202)
