"""Looks for deliveries that break a source: `python -m tests.sources.fuzz --minutes 10`.

Prints what it did as JSON and exits 1 where anything broke; each way of breaking is kept once, with
the bytes that did it, under --keep. Anything but the documented error is a break, as is an answer
that cannot be stored, that says nothing at all, or that takes more than five seconds.
"""

import argparse
import base64
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from promotion.exceptions import InputError
from promotion.sources.base import AuthenticationError, Delivery
from promotion.sources.known import SOURCES
from tests.sources.mutating import mutate, seeds

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SLOWEST = 5.0  # seconds for one delivery; a worker has others to process
PROOFS = (
    "Authorization",
    "X-Hub-Signature",
    "X-Hub-Signature-256",
    "X-PagerDuty-Signature",
    "X-Webhook-Signature",
    "X-JFrog-Event-Auth",
    "webhook-signature",
    "webhook-timestamp",
    "webhook-id",
)


class BrokenError(Exception):
    """An answer that nothing can be done with."""


def check(kind: str, delivery: Delivery) -> bool:
    """Whether it could be read; raises whatever it breaks with, BrokenError where the answer is none."""
    source = SOURCES[kind]
    identity = source.delivery_id(delivery)
    if identity is not None:
        if not identity or "\x00" in identity:
            raise BrokenError("The delivery's id cannot be stored.")
        identity.encode()
    try:
        source.authenticate(delivery, ["correct-horse"], NOW)
    except AuthenticationError:
        pass
    else:
        raise BrokenError("A delivery without a proof was believed.")
    source.is_guessed_from(delivery)
    try:
        found = source.normalise(delivery)
    except InputError as error:
        if not error.sentence:
            raise BrokenError("It is unreadable and nothing says why.") from None
        return False
    if not found.facts and not found.notes:
        raise BrokenError("There is neither a fact nor a note.")
    told = [[fact.as_json() for fact in found.facts], list(found.notes)]
    json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
    if any("\x00" in text for text in _texts(told)):
        raise BrokenError("A NUL is in what would be stored.")
    return True


def _texts(value: Any) -> Iterator[str]:
    """Every text in it, names of fields as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def fuzz(until: float, seed: int) -> dict[str, Any]:
    """Mutates until that time of time.monotonic(); counts, and one example of each way of breaking."""
    chance, samples = random.Random(seed), seeds()
    everything = [one for some in samples.values() for one in some]
    kinds, counts, broken = sorted(SOURCES), Counter[str](), dict[str, dict[str, Any]]()
    slowest = 0.0
    while time.monotonic() < until:
        kind = kinds[counts["deliveries"] % len(kinds)]
        headers, body = chance.choice(samples[kind] if chance.random() < 0.9 else everything)
        delivery = with_proof(mutate(headers, body, chance), chance)
        counts["deliveries"] += 1
        begun = time.process_time()
        try:
            counts["read" if check(kind, delivery) else "unreadable"] += 1
        except Exception as error:
            _keep(broken, kind, delivery, _name(error))
        took = time.process_time() - begun
        slowest = max(slowest, took)
        if took > SLOWEST:
            _keep(broken, kind, delivery, f"{kind}: slower than {SLOWEST} s")
    return {"seed": seed, **counts, "slowest_seconds": round(slowest, 3), "broken": broken}


def with_proof(delivery: Delivery, chance: random.Random) -> Delivery:
    """Sometimes with a proof that is none."""
    if chance.random() < 0.7:
        return delivery
    value = chance.choice(
        ["", "Basic ÿ", "Bearer \x00", "v1,", "sha256=é", "a.b.c", "t=1,v1=x", "9" * 400]
    )
    headers = dict(delivery.headers) | {chance.choice(PROOFS): value}
    return Delivery(delivery.body, headers, url_secret=chance.choice(["", "\ud800", "x"]))


def _name(error: Exception) -> str:
    """Where it broke, so that each way is told once."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    own = [one for one in traceback.extract_tb(error.__traceback__) if "promotion" in one.filename]
    place = own[-1] if own else last
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}: {error}"[:200]


def _keep(broken: dict[str, dict[str, Any]], kind: str, delivery: Delivery, name: str) -> None:
    known = broken.setdefault(name, {"kind": kind, "times": 0})
    known["times"] += 1
    if "body" not in known or len(delivery.body) < len(known["body"]):
        known |= {"kind": kind, "headers": dict(delivery.headers), "body": delivery.body}


def main() -> int:
    """0 where nothing broke."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    parser.add_argument("--keep", type=Path, help="folder for what broke")
    given = parser.parse_args()
    told = fuzz(time.monotonic() + given.minutes * 60, given.seed)
    for number, (name, one) in enumerate(told["broken"].items(), 1):
        one["body"] = base64.b64encode(one["body"]).decode()
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{number}.json").write_text(json.dumps({"name": name, **one}))
        del one["body"], one["headers"]
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if told["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
