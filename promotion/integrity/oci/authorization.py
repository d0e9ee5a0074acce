"""How a registry lets us in: Basic, or the token flow that Docker's distribution describes.

A registry answers 401 with a challenge; what it says is remembered, so that later requests carry
the right header at once and a stream never has to be sent twice.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from promotion.integrity.oci.errors import RepositoryRefusedError
from promotion.integrity.oci.wire import check_answer, read_limited, send_once

Scopes = tuple[str, ...]

_CHALLENGE = re.compile(r"(?i)\b(bearer|basic)\s+((?:\w+=(?:\"[^\"]*\"|[^\s,]+)(?:\s*,\s*)?)*)")
_PARAMETER = re.compile(r"(\w+)=(?:\"([^\"]*)\"|([^\s,]+))")
_LARGEST_TOKEN_ANSWER = 1024 * 1024
# The token spec: without `expires_in` a token is good for 60 seconds.
_DEFAULT_LIFETIME = 60.0
# A token is renewed this long before its end, so that a request just begun does not fail.
_MARGIN = 10.0


@dataclass(frozen=True, slots=True)
class RegistryCredentials:
    """Who we are to a registry; the password may be an access token of the registry's."""

    username: str
    password: str = field(repr=False)

    @property
    def basic_header(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()


@dataclass(frozen=True, slots=True)
class _TokenService:
    realm: str
    service: str


@dataclass(frozen=True, slots=True)
class _Token:
    header: str = field(repr=False)
    ends_at: float


class RegistryAuthorization:
    """Keeps what one registry asked for and the tokens it gave; safe to use from threads."""

    def __init__(
        self, client: httpx.Client, base_url: httpx.URL, credentials: RegistryCredentials | None
    ) -> None:
        self._client = client
        self._base_url = base_url
        self._credentials = credentials
        self._lock = threading.Lock()
        self._wants_basic = False
        self._service: _TokenService | None = None
        self._tokens: dict[Scopes, _Token] = {}

    def get_header(self, scopes: Scopes) -> str | None:
        """Return the Authorization header for a request that needs these scopes, if any.

        Raises RepositoryRefusedError and RepositoryUnreachableError when asking for a token.
        """
        with self._lock:
            if self._service is not None:
                token = self._tokens.get(scopes)
                if token is None or token.ends_at <= time.monotonic():
                    token = self._tokens[scopes] = self._ask_for_token(self._service, scopes)
                return token.header
            if self._wants_basic and self._credentials is not None:
                return self._credentials.basic_header
            return None

    def accept_challenge(self, headers: httpx.Headers, scopes: Scopes, sent: str | None) -> bool:
        """Learn from a 401 answer; says whether asking again with a new header makes sense."""
        offered = dict(_read_challenges(headers.get_list("www-authenticate")))
        with self._lock:
            if "bearer" in offered:
                self._service = self._check_service(offered["bearer"])
                token = self._tokens.get(scopes)
                if token is not None and token.header == sent:
                    del self._tokens[scopes]
                return True
            if "basic" in offered and self._credentials is not None:
                self._wants_basic = True
                return sent != self._credentials.basic_header
            return False

    def _check_service(self, parameters: dict[str, str]) -> _TokenService:
        realm = parameters.get("realm", "")
        try:
            url = httpx.URL(realm)
        except httpx.InvalidURL:
            url = httpx.URL("")
        is_downgrade = self._base_url.scheme == "https" and url.scheme != "https"
        if url.scheme not in {"http", "https"} or not url.host or is_downgrade:
            raise RepositoryRefusedError(
                f"{self._base_url.host} sends us for a token to {realm[:200]!r}, where credentials "
                "would not be safe. None were sent. Correct the registry's settings."
            )
        return _TokenService(realm, parameters.get("service", ""))

    def _ask_for_token(self, service: _TokenService, scopes: Scopes) -> _Token:
        wanted = [("service", service.service)] if service.service else []
        url = httpx.URL(service.realm)
        parameters = url.params
        for key, value in [*wanted, *(("scope", scope) for scope in scopes)]:
            parameters = parameters.add(key, value)
        headers = {"Accept": "application/json"}
        if self._credentials is not None:
            headers["Authorization"] = self._credentials.basic_header
        request = self._client.build_request(
            "GET", url.copy_with(params=parameters), headers=headers
        )
        asked_at = time.monotonic()
        response = send_once(self._client, request)
        try:
            check_answer(response, f"ask for a token for {' '.join(scopes)}")
            raw = read_limited(response, _LARGEST_TOKEN_ANSWER)
        finally:
            response.close()
        return _read_token(raw, url.host, asked_at)


def _read_challenges(values: Iterable[str]) -> Iterable[tuple[str, dict[str, str]]]:
    for value in values:
        for match in _CHALLENGE.finditer(value):
            parameters = {
                name.lower(): quoted or bare
                for name, quoted, bare in _PARAMETER.findall(match.group(2))
            }
            yield match.group(1).lower(), parameters


def _read_token(raw: bytes, host: str, asked_at: float) -> _Token:
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    given = answer if isinstance(answer, dict) else {}
    value = given.get("token") or given.get("access_token")
    if not isinstance(value, str) or not value.isprintable():
        raise RepositoryRefusedError(
            f"{host} answered without a token. Nothing was changed. "
            "Check the registry's address and credentials."
        )
    lifetime = given.get("expires_in")
    if not isinstance(lifetime, int | float) or isinstance(lifetime, bool):
        lifetime = _DEFAULT_LIFETIME
    # A short-lived token is used for at least a moment, else every request would ask anew.
    ends_at = asked_at + max(float(lifetime) - _MARGIN, min(float(lifetime), 1.0))
    return _Token("Bearer " + value, ends_at)
