"""Reading the bodies of requests."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.http import HttpRequest, QueryDict
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class BoundedJSONParser(parsers.JSONParser):
    """JSON that is no larger than a request may be, and not nested without end."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value; RequestDataTooBig or ParseError where there is none."""
        # The framework reads the stream whatever its length; `body` keeps to the limit.
        body = stream.body if isinstance(stream, HttpRequest) else stream.read()
        try:
            return super().parse(BytesIO(body), media_type, dict(parser_context or {}))
        except RecursionError:
            raise ParseError("The JSON is nested too deep. Nothing was changed.") from None


class AnyParser(parsers.BaseParser):
    """Leaves the body alone: a source reads it."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Nothing, as a form has it: who checks a session's token looks there."""
        return QueryDict()
