"""The releases of the demonstration: what was committed for each, and what was built."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from demo.images import digest_of
from demo.organisation import DemoService
from demo.payloads import BOT, Authored

TITLES = (
    "Retry {thing} once on a timeout",
    "Show why {thing} waits",
    "Fix rounding in {thing}",
    "Read {thing} in batches",
    "Keep {thing} for ninety days",
    "Deduplicate {thing} on retry",
    "Add an index for {thing}",
    "Log who changed {thing}",
    "Drop the old form of {thing}",
    "Validate {thing} before it is stored",
    "Make {thing} work without a carrier",
)
THINGS = (
    "pickup notices", "pallet events", "labels", "customs codes", "surcharges", "credit notes",
    "route legs", "partner files", "tariff lookups", "delivery proofs", "quotes", "fuel prices",
)  # fmt: skip
STORY_TITLES = {
    ("shipment-api", "4.18.0"): (
        "Raise carrier lookup timeout to 4 s",
        "Deduplicate pickup notices on retry",
        "Emit pallet-level tracking events",
    ),
    ("rate-engine", "7.1.9"): ("Move zone prices to their own table",),
    ("surcharge-rules", "3.0.1"): (
        "Charge for weekend pickups",
        "Let customers see how a surcharge came about",
    ),
}


@dataclass(frozen=True, slots=True)
class DemoRelease:
    """One version of a service, the commits it brings, and which build of it this is."""

    service: DemoService
    version: str
    commits: tuple[Authored, ...]
    built_at: datetime
    take: int = 1

    @property
    def commit(self) -> str:
        """The commit that was built."""
        return self.commits[-1].sha

    @property
    def digest(self) -> str:
        """Of its image."""
        return digest_of(self.service.slug, self.version, self.commit, self.take)


def commit_release(
    service: DemoService, version: str, authors: Sequence[str], pushed_at: datetime, rng: Random
) -> DemoRelease:
    """The release that comes of a push with one to four commits; its build ends minutes later."""
    titles = STORY_TITLES.get((service.slug, version)) or tuple(
        rng.choice(TITLES).format(thing=rng.choice(THINGS)) for _ in range(rng.randint(1, 4))
    )
    commits = []
    is_told = (service.slug, version) in STORY_TITLES
    first = rng.randrange(len(authors))
    for number, title in enumerate(titles):
        author = authors[(first + number) % len(authors)]
        if number == 0 and len(titles) > 1 and not is_told and rng.random() < 0.25:
            author, title = BOT, f"Bump http client to 5.{rng.randint(1, 9)}.{rng.randint(0, 9)}"
        at = pushed_at - timedelta(minutes=37 * (len(titles) - number))
        commits.append(Authored(_sha(service.slug, version, number), author, title, at))
    return DemoRelease(service, version, tuple(commits), pushed_at + timedelta(minutes=7))


def first_commit(service: DemoService) -> str:
    """What the first push of the history came after."""
    return _sha(service.slug, "before", 0)


def _sha(slug: str, version: str, number: int) -> str:
    text = f"{slug} {version} {number}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
