"""What a file says, and of what it says it."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from promotion.sources.base import Fact
from promotion.sources.cleaning import clean_image
from promotion.sources.reading import Part
from promotion.sources.sender import Collector

MOST_SUBJECTS = 1000
_LONGEST_DETAIL = 500
GIVE_IT = (
    "Post the file with the digest it is about: in the query (digest=sha256:…) or the header "
    "X-Throughline-Digest"
)


@dataclass(frozen=True, slots=True)
class Given:
    """What whoever posts a file says of it, where the file itself does not."""

    digest: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of a file: its type (`name`), the digests or the commit it is about, and the rest."""

    name: str
    title: str
    digests: tuple[str, ...] = ()
    commit: str | None = None
    result: str | None = None
    occurred_at: datetime | None = None
    external_id: str | None = None
    url: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


def keep(finding: Finding, given: Given, collector: Collector) -> None:
    """One fact a digest. What the file says of its subject counts; what was given only without it."""
    digests = tuple(dict.fromkeys(finding.digests))
    if digests and given.digest and given.digest not in digests:
        collector.note(
            f"{finding.title[:100]} is about {digests[0][:19]}…, not about the digest given; "
            "it is kept for what it says itself."
        )
    if not digests and given.digest:
        digests = (given.digest,)
    if not digests and finding.commit is None:
        return collector.note(
            f"{finding.title[:100]} names no sha256 digest of what it is about; it became nothing. "
            f"{GIVE_IT}."
        )
    if len(digests) > MOST_SUBJECTS:
        collector.note(
            f"{finding.title[:100]} has {len(digests)} subjects; {MOST_SUBJECTS} were kept."
        )
    details = {"title": given.name or finding.title} | finding.details
    kept = {key: _cut(value) for key, value in details.items() if value not in (None, "", [], {})}
    for digest in digests[:MOST_SUBJECTS] or (None,):
        collector.add(
            Fact(
                kind="evidence",
                name=finding.name,
                digest=digest,
                commit=finding.commit,
                result=finding.result,
                occurred_at=finding.occurred_at,
                external_id=finding.external_id,
                url=finding.url,
                details=kept,
            )
        )
    return None


def _cut(value: Any) -> Any:
    """Texts no longer than a page shows."""
    if isinstance(value, list):
        return [_cut(one) for one in value]
    return value[:_LONGEST_DETAIL] if isinstance(value, str) else value


def name_by_content(collector: Collector, content: bytes, *, after: int = 0) -> None:
    """What has no id of its own goes by the hash of its file, so that it can be told from others."""
    hashed = hashlib.sha256(content).hexdigest()
    for place, fact in enumerate(collector.facts[after:]):
        if fact.external_id is None:
            identity = f"{hashed}#{place + 1}" if place else hashed
            collector.facts[after + place] = replace(fact, external_id=identity)


def digests_in(references: Part) -> tuple[str, ...]:
    """The digests of `name@sha256:…` in a list."""
    found = [clean_image(one.value).digest for one in list(references)[:MOST_SUBJECTS]]
    return tuple(one for one in found if one)


def count(words: list[str]) -> dict[str, int]:
    """How often each word stands, those that stand most often first; at most twenty words."""
    found: dict[str, int] = {}
    for word in words:
        found[word[:40]] = found.get(word[:40], 0) + 1
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0]))[:20])
