"""Public keys that a tool publishes at an address: fetched when a signature is to be checked, and kept.

Each process keeps its own. What could not be fetched is not asked for again at once, so that
deliveries nobody can check cost no call each.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import httpx

from promotion.exceptions import ThroughlineError, UnreachableError
from promotion.integrity.calling import read_answer
from promotion.integrity.outgoing import open_client

KEPT_SECONDS = 3600.0
FAILED_SECONDS = 10.0
MOST_KEPT = 64
MOST_BYTES = 256 * 1024
TIMEOUT = httpx.Timeout(5.0, connect=3.0)


@dataclass(frozen=True, slots=True)
class _Kept:
    at: float  # time.monotonic()
    document: bytes = b""
    failure: str = ""


_lock = threading.Lock()
_kept: "OrderedDict[str, _Kept]" = OrderedDict()


def read_keys(address: str, *, no_older_than: float = KEPT_SECONDS) -> bytes:
    """What the address answers, at most so many seconds old; UnreachableError where it does not."""
    now = time.monotonic()
    with _lock:
        kept = _kept.get(address)
    limit = FAILED_SECONDS if kept and kept.failure else no_older_than
    if kept is None or now - kept.at >= limit:
        kept = _fetch(address, now)
        with _lock:
            _kept[address] = kept
            _kept.move_to_end(address)
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    if kept.failure:
        raise UnreachableError(kept.failure)
    return kept.document


def forget_keys() -> None:
    """Fetches all of them anew when they are next needed."""
    with _lock:
        _kept.clear()


def _fetch(address: str, now: float) -> _Kept:
    try:
        with open_client(timeout=TIMEOUT) as client:
            answer = read_answer(
                client, client.build_request("GET", address), most_bytes=MOST_BYTES
            )
        if answer.status == 200 and answer.is_whole:
            return _Kept(now, answer.body)
        why = f"it answered {answer.status}"
    except ThroughlineError as error:
        why = error.sentence
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
    return _Kept(
        now,
        failure=f"The keys at {address[:200]} could not be fetched ({why[:300].rstrip('.')}), so the"
        " signature could not be checked. Nothing was kept; send it again later.",
    )
