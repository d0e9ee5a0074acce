"""What the OpenAPI document says that the views do not say themselves."""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from .errors import TYPE

DESCRIPTIONS = {
    400: "What was sent cannot be used; `key` or `errors` names what is wrong.",
    401: "No token, or one that is not known, was revoked, or has expired.",
    403: "The token lacks the scope, or the person may not do this.",
    404: "There is no such thing.",
    409: "The state does not admit it, or somebody was faster; nothing was changed.",
    413: "The body is larger than is taken in here; `detail` says how large it may be.",
    415: "The body is of a type that is not read here; send application/json.",
}


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457: what failed, what did not change, what to do."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="a sentence a person can act on")
    key = serializers.CharField(required=False, help_text="the part of the request it is about")
    errors = serializers.JSONField(  # type: ignore[assignment]  # the name callers know
        required=False, help_text="all faults, by field"
    )


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The refusals of an operation, as responses of its schema; 401 and 403 are always possible."""
    return {
        (status, TYPE): OpenApiResponse(ProblemSerializer, description=DESCRIPTIONS[status])
        for status in sorted({401, 403, *statuses})
    }


def add_refusals_of_bodies(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Whatever reads a JSON body refuses one that is too large or of another type."""
    content = {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            if "application/json" not in operation.get("requestBody", {}).get("content", {}):
                continue
            for status in (413, 415):
                said = {"content": content, "description": DESCRIPTIONS[status]}
                operation["responses"].setdefault(str(status), said)
    return result


class ReadSchema(AutoSchema):
    """Of lists and details; lists take the filters that their view's `query` declares."""

    def get_operation_id(self) -> str:
        """As the view calls it."""
        view: Any = self.view
        return str(view.operation)

    def get_override_parameters(self) -> list[Any]:
        """The serializer of the query, whose fields become parameters."""
        query = getattr(self.view, "query", None)
        return [] if query is None else [query]

    def get_response_serializers(self) -> Any:
        """The answer, and the refusals any read may give."""
        is_list = getattr(self.view, "query", None) is not None
        return {200: super().get_response_serializers(), **problems(400 if is_list else 404)}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The header that carries a token."""

    target_class = "promotion.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """HTTP bearer."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token as made under Integrations; it begins with tl_.",
        }


class Words(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The words of a choice with what they mean, as OpenAPI 3.1 can say it.

    As `enum` they would all need names of their own, since several nouns have a `state`.
    """

    target_class = "rest_framework.serializers.ChoiceField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """One constant a word."""
        words = dict(self.target.choices)
        if self.target.allow_blank:
            words |= {"": "Not told"}
        said = [{"const": word, "title": str(title)} for word, title in words.items()]
        return {"type": "string", "oneOf": said}
