"""POST /api/v1/evidence: an evidence file as it is, and the digest it is about."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion.exceptions import NotAllowedError
from promotion.models import Token

from .authentication import token_of
from .errors import refuse, too_large
from .events import SENT_BY_TOKEN, AcceptedSerializer, take_in
from .fields import DigestField
from .parsing import AnyParser
from .schema import problems
from .webhooks import evidence_of, largest


class GivenSerializer(serializers.Serializer[Any]):
    """What the address says of the file."""

    digest = DigestField(required=False, help_text="what it is about, where it does not say so")
    name = serializers.CharField(required=False, max_length=200, help_text="its title on pages")


class EvidenceFiles(APIView):
    """Takes in in-toto, DSSE, Sigstore bundles, CycloneDX, SPDX, Trivy, Grype, SARIF and JUnit."""

    scope = Token.Scope.EVENTS
    parser_classes = (AnyParser,)

    @extend_schema(
        operation_id="send_evidence",
        parameters=[GivenSerializer],
        request={"application/json": OpenApiTypes.OBJECT, "application/xml": OpenApiTypes.STR},
        responses={202: AcceptedSerializer, **problems(400, 413)},
    )
    def post(self, request: Request) -> Response:
        """Keeps the file as an event, which tells what became of it."""
        GivenSerializer(data=request.query_params.dict()).is_valid(raise_exception=True)
        token = token_of(request)
        if token is None:  # before anything is read
            raise NotAllowedError(SENT_BY_TOKEN)
        try:
            delivery = evidence_of(request._request)
        except RequestDataTooBig:
            return refuse(413, too_large(largest(is_evidence=True)))
        return take_in(delivery, token, timezone.now(), kind="evidence")
