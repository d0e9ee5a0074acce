"""Calling the API of another tool: JSON in and out, with errors as sentences."""

from collections.abc import Mapping
from typing import Any

import httpx

from promotion.exceptions import ThroughlineError, UnreachableError
from promotion.integrity.calling import Answered, log_in, read_answer
from promotion.integrity.connecting import find_connection
from promotion.integrity.outgoing import open_client
from promotion.models import Connection

CALL_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
NOT_NOW = frozenset({408, 425, 429})


class ToolError(ThroughlineError):
    """The tool refused a call; asking again does not help. `status` is its answer's."""

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class AnswerLostError(UnreachableError):
    """The tool may have done what it was asked for: the answer did not come, or says it broke."""


class ToolApi:
    """The API behind a connection of the kind http, whose secret is a bearer's or, with a username, basic."""

    def __init__(self, connection_name: str, headers: Mapping[str, str] | None = None) -> None:
        self.connection = find_connection(connection_name, Connection.Kind.HTTP)
        self._headers = {"Accept": "application/json", **(headers or {}), **log_in(self.connection)}

    @property
    def address(self) -> str:
        """Where the tool is, without a slash at the end."""
        return self.connection.address.rstrip("/")

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON at a path; raises UnreachableError, ToolError, AddressRefusedError."""
        told = self._call("GET", path, params=parameters).json()
        if told is None:
            raise UnreachableError(f"{self.connection.name} answered no JSON. It is asked again.")
        return told

    def post(
        self,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Any:
        """What is answered to a post, None where it is no JSON; raises as get does."""
        return self._call("POST", path, json=json, data=form).json()

    def _call(self, method: str, path: str, **what: Any) -> Answered:
        name = self.connection.name
        try:
            with open_client(timeout=CALL_TIMEOUT) as client:
                request = client.build_request(
                    method, f"{self.address}{path}", headers=self._headers, **what
                )
                answer = read_answer(client, request, most_bytes=16 * 1024 * 1024)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise UnreachableError(f"{name} cannot be reached. It is asked again.") from error
        except httpx.HTTPError as error:
            raise AnswerLostError(
                f"{name} did not answer ({type(error).__name__}). It is asked again."
            ) from error
        if 200 <= answer.status < 300:
            return answer
        if answer.status >= 500:
            raise AnswerLostError(f"{name} answered {answer.status}. It is asked again.")
        if answer.status in NOT_NOW:
            raise UnreachableError(f"{name} answered {answer.status}. It is asked again.")
        said = _message_in(answer)
        raise ToolError(
            f"{name} refused with {answer.status}{': ' if said else ''}{said}. Correct the pipeline"
            " or the connection.",
            status=answer.status,
        )


def _message_in(answer: Answered) -> str:
    told = answer.json()
    said = told.get("message") or told.get("error") if isinstance(told, Mapping) else None
    text = str(said) if said else answer.body[:200].decode(errors="replace")
    return " ".join(text.split())[:200].rstrip(".")
