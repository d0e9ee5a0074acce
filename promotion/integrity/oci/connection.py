"""Requests to one registry: authorised, redirected safely, answered or raised."""

from collections.abc import Iterable, Mapping

import httpx

from promotion.exceptions import InputError
from promotion.integrity.oci.authorization import (
    RegistryAuthorization,
    RegistryCredentials,
    Scopes,
)
from promotion.integrity.oci.errors import RepositoryRefusedError, RepositoryUnreachableError
from promotion.integrity.oci.wire import send_once

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5


class RegistryConnection:
    """Sends requests to a registry through one HTTP client; safe to use from threads."""

    def __init__(
        self, base_url: str, client: httpx.Client, credentials: RegistryCredentials | None = None
    ) -> None:
        self.base_url = _read_base_url(base_url)
        self._client = client
        self._authorization = RegistryAuthorization(client, self.base_url, credentials)

    def locate(self, path: str) -> httpx.URL:
        """Return the address of a path below `/v2/`."""
        return self.base_url.copy_with(path=f"/v2/{path}")

    def follow(self, location: str, base: httpx.URL) -> httpx.URL:
        """Return the address a Location header names, relative to the one that answered.

        Raises RepositoryRefusedError where it would leave HTTPS or HTTP.
        """
        try:
            url = base.join(location)
        except httpx.InvalidURL:
            url = httpx.URL("")
        is_downgrade = base.scheme == "https" and url.scheme != "https"
        if not location or url.scheme not in {"http", "https"} or is_downgrade:
            raise RepositoryRefusedError(
                f"The registry {base.host} sends us to {location[:200]!r}, which is not safe to "
                "follow. Nothing was changed. Correct the registry's settings."
            )
        return url

    def send(
        self,
        method: str,
        url: httpx.URL,
        scopes: Scopes,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
    ) -> httpx.Response:
        """Return the answer, its body unread; the caller closes it.

        Raises RepositoryUnreachableError, RepositoryRefusedError.
        """
        for is_last in (False, True):
            sent = self._get_header(url, scopes)
            given = {"Accept-Encoding": "identity", **(headers or {})}
            if sent is not None:
                given["Authorization"] = sent
            request = self._client.build_request(method, url, headers=given, content=content)
            response = send_once(self._client, request)
            if (
                response.status_code != httpx.codes.UNAUTHORIZED
                or not self._is_ours(url)
                or is_last
            ):
                return response
            if not self._authorization.accept_challenge(response.headers, scopes, sent):
                return response
            response.close()
            if content is not None and not isinstance(content, bytes):
                raise RepositoryUnreachableError(
                    f"The registry {url.host} asked for new credentials in the middle of an "
                    "upload. Nothing was named there. Try again."
                )
        raise AssertionError("the last attempt always returns")

    def fetch(
        self, url: httpx.URL, scopes: Scopes, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """GET and follow redirects; credentials go to the registry alone, never further.

        Raises RepositoryUnreachableError, RepositoryRefusedError.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            response = self.send("GET", url, scopes, headers=headers)
            if response.status_code not in _REDIRECTS:
                return response
            response.close()
            url = self.follow(response.headers.get("location", ""), url)
        raise RepositoryRefusedError(
            f"The registry {self.base_url.host} redirects more than {_MOST_REDIRECTS} times. "
            "Nothing was read. Correct the registry's settings."
        )

    def _is_ours(self, url: httpx.URL) -> bool:
        return _read_origin(url) == _read_origin(self.base_url)

    def _get_header(self, url: httpx.URL, scopes: Scopes) -> str | None:
        return self._authorization.get_header(scopes) if self._is_ours(url) else None


def _read_base_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
        raise InputError(
            f"{text[:200]!r} is not the address of a registry. "
            "Give https:// and a host, with credentials apart."
        )
    return url.copy_with(path="/", query=None, fragment=None)


def _read_origin(url: httpx.URL) -> tuple[str, str, int]:
    default = 443 if url.scheme == "https" else 80
    return url.scheme, url.host, url.port or default
