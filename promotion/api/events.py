"""Our own intake with a token: one fact, a list, NDJSON, or CloudEvents; and what an event became."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import parsers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion import tasks
from promotion.actions.receive import receive
from promotion.api.webhooks import TOO_LARGE, delivery_of
from promotion.exceptions import InputError
from promotion.models import Event, Token
from promotion.sources.known import SOURCES

from .errors import problem


class AnyParser(parsers.BaseParser):
    """Leaves the body alone: the source reads it."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """Nothing."""
        return {}


class EventSerializer(serializers.ModelSerializer[Event]):
    """An event and what it became."""

    class Meta:
        model = Event
        fields = (
            "id",
            "source",
            "delivery_id",
            "received_at",
            "processed_at",
            "state",
            "summary",
            "outcome",
            "notes",
        )


class AcceptedSerializer(serializers.Serializer[Any]):
    """What is answered at once."""

    event = serializers.IntegerField()
    duplicate = serializers.BooleanField()
    url = serializers.CharField()


class EventIntake(APIView):
    """POST /api/v1/events."""

    scope = Token.Scope.EVENTS
    parser_classes = (AnyParser,)

    @extend_schema(
        operation_id="send_events",
        request={"application/json": OpenApiTypes.OBJECT, "application/x-ndjson": OpenApiTypes.STR},
        responses={202: AcceptedSerializer, 413: OpenApiResponse(description="larger than 5 MiB")},
    )
    def post(self, request: Request) -> Response:
        """Keeps the body and answers 202; unreadable bytes are refused with 400 and not kept."""
        if not isinstance(request.auth, Token):
            return Response(
                problem(403, "Events are sent with a token of scope 'events'."), status=403
            )
        try:
            delivery = delivery_of(request._request)
        except RequestDataTooBig:
            return Response(problem(413, TOO_LARGE), status=413)
        source = SOURCES["generic"]
        try:
            source.normalise(delivery)
        except InputError as error:
            return Response(problem(400, error.sentence), status=400)
        received = receive(source, delivery, sender=None, token=request.auth, at=timezone.now())
        if received.is_new:
            tasks.process.delay_on_commit(received.event.pk)
        event = received.event.pk
        body = {"event": event, "duplicate": not received.is_new, "url": f"/api/v1/events/{event}"}
        return Response(body, status=202)


class EventDetail(APIView):
    """GET /api/v1/events/<id>."""

    @extend_schema(operation_id="read_event", responses=EventSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The event without its bytes. A token that may only send sees its own."""
        events = Event.objects.all()
        if isinstance(request.auth, Token) and Token.Scope.READ not in request.auth.scopes:
            events = events.filter(token=request.auth)
        event = events.filter(pk=pk).first()
        if event is None:
            return Response(
                problem(404, f"There is no event {pk}, or you may not see it."), status=404
            )
        return Response(EventSerializer(event).data)

    scope = Token.Scope.READ
