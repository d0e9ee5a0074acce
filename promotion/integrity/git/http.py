"""A git repository behind git's smart HTTP protocol, called through the guarded client."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from dulwich.client import AbstractHttpGitClient
from dulwich.errors import GitProtocolError, NotGitRepository

from promotion.exceptions import InputError
from promotion.integrity.git.far_remote import LARGEST_ANSWER, FarRemote, explain_size
from promotion.integrity.git.remotes import (
    GitRefusedError,
    GitUnreachableError,
    explain_absence,
    explain_refusal,
)
from promotion.integrity.outgoing import open_client


class HttpRemote(FarRemote):
    """A repository behind git's smart HTTP protocol, read without its older history."""

    def __init__(self, url: str, username: str = "", password: str = "") -> None:
        if httpx.URL(url).scheme not in {"http", "https"} or httpx.URL(url).userinfo:
            raise InputError(
                f"{url[:200]!r} is not the address of a git repository."
                " Give http:// or https://, with credentials apart."
            )
        self.address = url
        self._username = username
        self._password = password

    @contextmanager
    def _client(self) -> Iterator["_GuardedGitClient"]:
        with open_client() as client:
            git = _GuardedGitClient(self.address, client, self._username, self._password)
            try:
                yield git
            except NotGitRepository as error:
                raise explain_absence(self.address) from error
            except httpx.TransportError as error:
                raise GitUnreachableError(
                    f"{self.address} did not answer or broke off ({type(error).__name__})."
                    " Whether the branch was moved is looked up before another try."
                ) from error
            except (GitProtocolError, ValueError, AssertionError) as error:
                raise GitUnreachableError(
                    f"{self.address} does not answer as a git server ({str(error)[:200]})."
                    " Check the connection's address."
                ) from error


class _GuardedGitClient(AbstractHttpGitClient):
    """Git's HTTP protocol over a guarded client; follows no redirect, so credentials stay."""

    def __init__(self, url: str, client: httpx.Client, username: str, password: str) -> None:
        super().__init__(url, thin_packs=False, quiet=True)
        self._http = client
        self._headers = {"Pragma": "no-cache", "User-Agent": "git/throughline"}
        if username or password:
            pair = base64.b64encode(f"{username or 'throughline'}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {pair}"

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> Any:
        method = "GET" if data is None else "POST"
        request = self._http.build_request(
            method, url, headers={**(headers or {}), **self._headers}, content=data
        )
        response = self._http.send(request, stream=True)
        if response.status_code != httpx.codes.OK:
            response.close()
            _raise_for(response, self._base_url)
        answer = _Answer(response)
        return answer, answer.read


class _Answer:
    """An answer as dulwich wants it: exactly as many bytes as asked for, until its end."""

    redirect_location = ""

    def __init__(self, response: httpx.Response) -> None:
        self.content_type = response.headers.get("content-type")
        self._response = response
        self._chunks = response.iter_bytes()
        self._held = bytearray()
        self._total = 0

    def read(self, size: int | None = None) -> bytes:
        """The next bytes, fewer only at the end."""
        while size is None or len(self._held) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._total += len(chunk)
            if self._total > LARGEST_ANSWER:
                raise explain_size(self._response.url.host)
            self._held += chunk
        taken = bytes(self._held if size is None else self._held[:size])
        del self._held[: len(taken)]
        return taken

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()


def _raise_for(response: httpx.Response, address: str) -> None:
    status = response.status_code
    if status == httpx.codes.NOT_FOUND:
        raise explain_absence(address)
    if response.is_redirect:
        to = response.headers.get("location", "")[:200]
        raise GitRefusedError(
            explain_refusal(address, f"it is at {to!r} now; write that in the connection")
        )
    if status in {401, 403}:
        raise GitRefusedError(
            explain_refusal(address, f"{status}: check the connection's credentials")
        )
    if status in {408, 425, 429} or response.is_server_error:
        raise GitUnreachableError(f"{address} answered {status}. The branch was not moved.")
    raise GitRefusedError(explain_refusal(address, f"it answered {status}"))
