"""POST /api/v1/observations: what runs where, from a script that only knows that."""

import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion.models import Token
from promotion.sources.base import Delivery
from promotion.sources.times import format_time

from .authentication import token_of
from .events import AcceptedSerializer, take_in
from .fields import UtcDateTimeField
from .parsing import BoundedJSONParser
from .schema import problems

MOST_AT_ONCE = 5000


class ObservedSerializer(serializers.Serializer[Any]):
    """A digest was seen running."""

    service = serializers.CharField(max_length=100, required=False)
    name = serializers.CharField(
        max_length=300, required=False, help_text="of the image, where the service is not known"
    )
    environment = serializers.CharField(max_length=100)
    target = serializers.CharField(max_length=100, required=False, allow_blank=True)
    digest = serializers.RegexField(
        r"^(?:\S{1,400}@)?(?i:sha256:[0-9a-f]{64})\Z",
        help_text="sha256:…, also at the end of an image's name",
        error_messages={"invalid": "A digest is sha256: and 64 hexadecimal digits."},
    )
    at = UtcDateTimeField(required=False, help_text="when it was seen; now unless told")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two must say what runs."""
        if not attrs.get("service") and not attrs.get("name"):
            raise serializers.ValidationError(
                {"service": "Name the service, or the image by `name`."}
            )
        return attrs


class Observations(APIView):
    """Takes in observations as an event of our own kind."""

    scope = Token.Scope.EVENTS
    parser_classes = (BoundedJSONParser,)

    @extend_schema(
        operation_id="send_observations",
        request=ObservedSerializer(many=True),
        responses={202: AcceptedSerializer, **problems(400, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """One observation or a list; kept as one event, which tells what became of each."""
        at = timezone.now()
        many = isinstance(request.data, list)
        body = ObservedSerializer(  # type: ignore[call-arg]  # max_length is the list's
            data=request.data if many else [request.data],
            many=True,
            allow_empty=False,
            max_length=MOST_AT_ONCE,
        )
        body.is_valid(raise_exception=True)
        facts = [_fact(one, at) for one in body.validated_data]
        delivery = Delivery(
            body=json.dumps(facts).encode(),
            headers=dict(request.headers) | {"Content-Type": "application/json"},
            content_type="application/json",
        )
        return take_in(delivery, token_of(request), at)


def _fact(said: dict[str, Any], at: datetime) -> dict[str, Any]:
    """As our own JSON says it. The time is always there: the same inventory later is another one."""
    seen: dict[str, Any] = {
        name: said[name] for name in ("service", "name", "environment", "target") if name in said
    }
    digest = said["digest"].rpartition("@")[2].lower()
    seen_at = format_time(said.get("at") or at)
    return {"kind": "observation", **seen, "digest": digest, "occurred_at": seen_at}
