"""Where the rows behind a figure are shown: their promotions, releases and deployments."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.urls import NoReverseMatch, reverse

from metrics.facts import split_fact_id
from metrics.measures.results import Row
from promotion.models import Correction, Deployment, Release


@dataclass(frozen=True, slots=True)
class Place:
    """What a row is about, and where to read of it; empty where it is not known."""

    promotion: str = ""
    promotion_url: str = ""
    version: str = ""
    release_url: str = ""


@dataclass(frozen=True, slots=True)
class FactLink:
    """A fact behind a row, and the page on which it is corrected."""

    words: str
    url: str


def link_facts(rows: Iterable[Row]) -> dict[str, list[FactLink]]:
    """The facts behind each row and behind what is said against it; one query at most."""
    found = {row.unit: [*row.ids, *_speakers(row)] for row in rows}
    numbers = {
        split[1]
        for ids in found.values()
        for split in map(split_fact_id, ids)
        if split and split[0] == "promotion"
    }
    carried: dict[int, int] = {}
    if numbers:
        told = Deployment.objects.filter(promotion__in=numbers).order_by("-pk")
        carried = dict(told.values_list("promotion_id", "pk"))
    return {
        unit: list(dict.fromkeys(_link(each, carried) for each in ids if _link(each, carried).url))
        for unit, ids in found.items()
    }


def _speakers(row: Row) -> list[str]:
    """What says that a deployment failed: its remedies and incidents."""
    findings: Any = dict(row.details).get("findings") or ()
    return [str(by) for _, by, _ in findings]


def _link(fact_id: str, carried: dict[int, int]) -> FactLink:
    kind, key = split_fact_id(fact_id) or ("", 0)
    if kind == "promotion":
        kind, key = "deployment", carried.get(key, 0)
    if kind not in Correction.Subject.values or not key:
        return FactLink("", "")
    return FactLink(f"{kind} {key}", find_address("fact-detail", kind, key))


def find_address(name: str, *arguments: object) -> str:
    """The address of a page, empty where there is none."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def place_rows(rows: Iterable[Row]) -> dict[str, Place]:
    """Where each row leads, by its unit; two queries however many rows there are."""
    found = list(rows)
    keys = {key for row in found for key in _deployments_of(row)}
    promotions = dict(
        Deployment.objects.filter(pk__in=keys)
        .exclude(promotion=None)
        .values_list("pk", "promotion_id")
    )
    versions: dict[tuple[str, str], str] = {}
    for service, digest, version in (
        Release.objects.filter(
            artifacts__digest__in={row.digest for row in found},
            service__slug__in={row.service for row in found},
        )
        .order_by("created_at", "pk")
        .values_list("service__slug", "artifacts__digest", "version")
    ):
        versions[service, digest] = version
    return {row.unit: _place(row, promotions, versions) for row in found}


def _deployments_of(row: Row) -> Iterable[int]:
    for fact_id in row.ids:
        split = split_fact_id(fact_id)
        if split and split[0] == "deployment":
            yield split[1]


def _place(row: Row, promotions: dict[int, int], versions: dict[tuple[str, str], str]) -> Place:
    number = next((promotions[key] for key in _deployments_of(row) if key in promotions), None)
    named = split_fact_id(row.unit)
    if named and named[0] == "promotion":
        number = named[1]
    place = Place()
    if number is not None:
        place = replace(
            place,
            promotion=f"P-{number}",
            promotion_url=find_address("promotion-detail", number),
        )
    version = versions.get((row.service, row.digest), "")
    if version:
        url = find_address("release-detail", row.service, version)
        place = replace(place, version=version, release_url=url)
    return place
