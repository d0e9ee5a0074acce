"""What each fact of an event became, with the page where that is shown."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from promotion.models import Artifact, Build, Deployment, Evidence, Observation, Release

from .release_trace import address_of

STATUS = {
    "created": "passed",
    "updated": "passed",
    "unchanged": "skipped",
    "nothing": "warned",
    "ignored": "skipped",
}


@dataclass(frozen=True, slots=True)
class Became:
    """One fact: what was read, what became of it, and where to see it."""

    kind: str
    became: str
    status: str
    label: str
    note: str
    more: list[str]
    url: str
    fact: str


def list_outcome(outcome: object) -> list[Became]:
    """In the order of the event; what is not of our making is passed over."""
    lines = (
        [line for line in outcome if isinstance(line, dict)] if isinstance(outcome, list) else []
    )
    urls = _addresses(lines)
    return [
        Became(
            kind=str(line.get("kind", "")),
            became=str(line.get("became", "")),
            status=STATUS.get(str(line.get("became")), "unknown"),
            label=str(line.get("label", "")),
            note=str(line.get("note") or ""),
            more=[str(one) for one in line.get("more") or []],
            url=urls.get((str(line.get("object")), line.get("pk")), ""),
            fact=json.dumps(line.get("fact") or {}, indent=2, ensure_ascii=False),
        )
        for line in lines
    ]


def _addresses(lines: list[dict[str, Any]]) -> dict[tuple[str, Any], str]:
    """Of the release each row belongs to, in a query per kind of row."""
    keys: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        if isinstance(line.get("pk"), int):
            keys[str(line.get("object"))].append(line["pk"])
    found: dict[tuple[str, Any], str] = {}
    for kind, releases in (
        ("deployment", _releases_of(Deployment, "release", keys["deployment"])),
        ("artifact", _releases_of(Artifact, "releases", keys["artifact"])),
        ("build", _releases_of(Build, "artifacts__releases", keys["build"])),
        ("evidence", _releases_of(Evidence, "artifact__releases", keys["evidence"])),
        ("observation", _releases_of(Observation, "artifact__releases", keys["observation"])),
    ):
        for pk, release in releases.items():
            found[kind, pk] = address_of(release)
    return found


def _releases_of(model: Any, path: str, keys: list[int]) -> dict[int, Release]:
    if not keys:
        return {}
    pairs = dict(model.objects.filter(pk__in=keys).exclude(**{path: None}).values_list("pk", path))
    releases = (
        Release.objects.filter(pk__in=pairs.values())
        .select_related("service")
        .prefetch_related("artifacts")
        .in_bulk()
    )
    return {pk: releases[key] for pk, key in pairs.items() if key in releases}
