"""Whose change a promotion brings, who asked for it, and who wrote its rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr

from promotion.models import (
    Commit,
    Deployment,
    PersonAddress,
    PipelineVersion,
    Promotion,
    RunResult,
)

POLICY_EDITED_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Authors:
    """The people (user names) who wrote the change, and the addresses nobody could be matched to.

    `commits` are newest first; `range_is_known` is false where only the release's own commit is known.
    """

    people: frozenset[str]
    unmatched: tuple[str, ...]
    commits: tuple[Commit, ...]
    range_is_known: bool


def authors_of(promotion: Promotion) -> Authors:
    """Authors and co-authors of every commit between what runs there and what would; on a rollback nobody."""
    commits, is_known = commits_of(promotion)
    if promotion.kind == Promotion.Kind.ROLLBACK:
        return Authors(frozenset(), (), commits, is_known)
    addresses = {
        address.strip().lower() for commit in commits for address in _addresses(commit)
    } - {""}
    people, unmatched = match_people(addresses)
    return Authors(frozenset(people), tuple(sorted(unmatched)), commits, is_known)


def commits_of(promotion: Promotion) -> tuple[tuple[Commit, ...], bool]:
    """The commits a promotion brings; where the range is not known, the release's own."""
    repository = promotion.service.repository
    old = promotion.replaces.commit if promotion.replaces else ""
    between = Commit.objects.between(repository, old, promotion.release.commit)
    if between is not None:
        return between, True
    return tuple(Commit.objects.filter(repository=repository, sha=promotion.release.commit)), False


def match_people(addresses: Iterable[str]) -> tuple[set[str], set[str]]:
    """User names behind mail addresses or logins, and the addresses that name nobody."""
    wanted = set(addresses)
    rows = dict(
        PersonAddress.objects.filter(value__in=wanted).values_list("value", "user__username")
    )
    return set(rows.values()), wanted - rows.keys()


def requesters_of(promotion: Promotion) -> set[str]:
    """Who asked; for an automatic request the humans behind it, where the events name them.

    Nobody asked for it in words: a build made the release and deployments upstream made it
    available. Whoever set those off is matched as authors are; a bot's name matches nobody.
    """
    if promotion.requested_by:
        return {promotion.requested_by.get_username()}
    release = promotion.release
    named = {*release.artifacts.values_list("builds__actor", flat=True)}
    named |= set(
        Deployment.objects.filter(
            release=release,
            environment__slug__in=_places_before(promotion),
            result=RunResult.SUCCEEDED,
        ).values_list("actor", flat=True)
    )
    return match_people({one for name in named if name for one in _names_in(name)})[0]


def _places_before(promotion: Promotion) -> list[str]:
    form = promotion.pipeline_version.form
    return [stage.environment for stage in form.upstream_of(form.stage(promotion.stage))]


def _names_in(actor: str) -> tuple[str, ...]:
    """A login or address as an event names it; of "Ada Byron <ada@example.org>" the address, too."""
    whole = actor.strip().lower()
    address = parseaddr(whole)[1]
    return (whole, address) if "@" in address else (whole,)


def policy_editors_of(promotion: Promotion, at: datetime) -> set[str]:
    """Who changed this pipeline in the last 30 days."""
    rows = PipelineVersion.objects.filter(
        pipeline=promotion.pipeline_version.pipeline_id,
        applied_at__gt=at - POLICY_EDITED_WITHIN,
        applied_at__lte=at,
    ).exclude(applied_by=None)
    return set(rows.values_list("applied_by__username", flat=True))


def _addresses(commit: Commit) -> list[str]:
    return [commit.author_address, *commit.co_author_addresses]
