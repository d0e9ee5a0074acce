"""GET with patience: rate limits are waited out, breaks are tried again, both bounded and told."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from promotion.exceptions import ThroughlineError, UnreachableError
from promotion.integrity.outgoing import AddressRefusedError

MOST_TRIES = 5
# Seconds. GitHub's limits end within the hour; for longer nobody should have to wait.
LONGEST_WAIT = 3660.0
FIRST_PAUSE = 1.0
LARGEST_ANSWER = 50 * 1024 * 1024
_TOO_MANY = frozenset({403, 429})
_BROKEN = frozenset({500, 502, 503, 504})


class RefusedError(ThroughlineError):
    """The tool says no: the credentials, the rights, or the name of what is listed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of one answer, and what its headers say of more."""

    document: Any
    headers: Mapping[str, str]
    url: str

    @property
    def next_url(self) -> str:
        """The page after this one by the header Link (RFC 8288), empty where there is none."""
        for link in self.headers.get("link", "").split(","):
            address, _, parameters = link.partition(";")
            if 'rel="next"' in parameters.replace("rel=next", 'rel="next"'):
                return urljoin(self.url, address.strip().strip("<>"))
        return ""


@dataclass(slots=True)
class Fetcher:
    """Reads JSON below one address; `wait` sleeps (seconds) and `tell` says why."""

    client: httpx.Client
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = lambda _: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Answer:
        """The JSON at a path below the address, or at a link the tool gave.

        Raises RefusedError (not to be tried again), UnreachableError (after MOST_TRIES tries).
        """
        url = self._locate(path)
        reason = ""
        for number in range(MOST_TRIES):
            try:
                response, content = self._send(url, parameters)
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
                self._pause(FIRST_PAUSE * 2**number, f"{urlsplit(url).netloc} did not answer")
                continue
            if response.status_code == httpx.codes.OK:
                return self._read(response, content)
            reason = f"it answered {response.status_code}"
            pause = self._pause_asked(response, number)
            if pause is None:
                raise RefusedError(
                    f"{url} was refused: {reason}. Nothing of it was taken in."
                    " Check the name, the connection's token and its rights."
                )
            self._pause(pause, f"{urlsplit(url).netloc} asks for patience ({reason})")
        raise UnreachableError(
            f"{url} could not be read in {MOST_TRIES} tries: {reason}."
            " What was taken in stays; run the same command again to go on."
        )

    def _locate(self, path: str) -> str:
        """The token goes to no other host than the connection's, whatever a link says."""
        url = path if "://" in path else f"{self.address.rstrip('/')}/{path.lstrip('/')}"
        here, there = urlsplit(self.address), urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise RefusedError(
                f"The list goes on at {there.netloc}, which is not {here.netloc}. It was not"
                " followed, since the token belongs to the latter. Correct the connection's address."
            )
        return url

    def _send(
        self, url: str, parameters: Mapping[str, str | int] | None
    ) -> tuple[httpx.Response, bytes]:
        request = self.client.build_request(
            "GET", url, params=parameters, headers=dict(self.headers)
        )
        try:
            with closing(self.client.send(request, stream=True)) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST_ANSWER:
                        raise RefusedError(
                            f"{url} answered with more than {LARGEST_ANSWER} bytes; it was not read."
                            " Ask for less."
                        )
                return response, bytes(content)
        except AddressRefusedError as error:
            raise RefusedError(error.sentence) from error

    def _read(self, response: httpx.Response, content: bytes) -> Answer:
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise RefusedError(
                f"{response.url} did not answer with JSON. Nothing of it was taken in."
                " Check the connection's address: it is that of the API."
            ) from None
        self._spare(response)
        return Answer(document, response.headers, str(response.url))

    def _spare(self, response: httpx.Response) -> None:
        """With nothing left of the allowance, waits for the next before asking in vain."""
        if response.headers.get("x-ratelimit-remaining", "") == "0":
            until = self._until_reset(response)
            if until:
                self._pause(until, f"{response.url.host} allows no more calls for now")

    def _pause_asked(self, response: httpx.Response, number: int) -> float | None:
        """Seconds to wait before trying again, None where that will not help."""
        after = _seconds_in(response.headers.get("retry-after", ""), self.now())
        if response.status_code in _TOO_MANY:
            if after is not None:
                return after
            is_spent = (
                response.headers.get(
                    "x-ratelimit-remaining", response.headers.get("ratelimit-remaining")
                )
                == "0"
            )
            if is_spent:
                return self._until_reset(response)
            # Without a word about when, GitHub asks for a minute at least.
            return (
                60.0 * 2**number if response.status_code == httpx.codes.TOO_MANY_REQUESTS else None
            )
        if response.status_code in _BROKEN:
            return after if after is not None else FIRST_PAUSE * 2**number
        return None

    def _until_reset(self, response: httpx.Response) -> float:
        text = response.headers.get("x-ratelimit-reset") or response.headers.get(
            "ratelimit-reset", ""
        )
        if not text.isdecimal():
            return 0.0
        return max(int(text) - self.now().timestamp(), 0.0) + 1.0

    def _pause(self, seconds: float, why: str) -> None:
        if seconds > LONGEST_WAIT:
            raise UnreachableError(
                f"{why}, for {seconds / 60:.0f} minutes, which is too long to wait."
                " What was taken in stays; run the same command again then to go on."
            )
        if seconds > 0:
            self.tell(f"{why}; waiting {seconds:.0f} s.")
            self.wait(seconds)


def _seconds_in(text: str, now: datetime) -> float | None:
    """The header Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
    if text.strip().isdecimal():
        return float(text.strip())
    try:
        return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None
