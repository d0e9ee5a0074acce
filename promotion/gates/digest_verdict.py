"""May this digest be in this environment? The order gate's rule, asked without a promotion."""

from dataclasses import dataclass
from datetime import datetime

from promotion.models import Artifact, Environment, Pipeline, Promotion, Release, Service
from promotion.rules.availability import judge_availability
from promotion.rules.states import State

from .runs import order_facts, plain

BROUGHT = (State.RUNNING.value, State.SUCCEEDED.value)


@dataclass(frozen=True, slots=True)
class ReleaseVerdict:
    """One release the digest is of: allowed where it was promoted there or is available there."""

    release: Release
    allowed: bool
    reasons: tuple[str, ...]
    was_promoted: bool = False
    is_available: bool = False
    earliest: datetime | None = None


@dataclass(frozen=True, slots=True)
class DigestVerdict:
    """Allowed where one of its releases is; `reasons` are sentences for and against."""

    digest: str
    allowed: bool
    reasons: tuple[str, ...]
    has_build: bool = False
    releases: tuple[ReleaseVerdict, ...] = ()


def judge_digest(
    digest: str, environment: Environment, at: datetime, *, service: Service | None = None
) -> DigestVerdict:
    """Judges every release of the digest (of one service, where it is named), newest first.

    A platform's digest counts as that of its index. Approvals, windows and freezes are not asked:
    they hold promotions, and a promotion tells of them.
    """
    artifact = Artifact.objects.select_related("index").filter(digest=digest).first()
    if artifact is None:
        return DigestVerdict(digest, False, (f"No artifact with the digest {digest} is known.",))
    whole = artifact.index or artifact
    has_build = whole.builds.exists()
    rows = whole.releases.select_related("service").prefetch_related("artifacts").newest_first()
    releases = list(rows.filter(service=service) if service else rows)
    if not releases:
        of = f" of {service.slug}" if service else ""
        said = (f"{whole} belongs to no release{of}.", *_on_build(has_build))
        return DigestVerdict(digest, False, said, has_build)
    verdicts = tuple(judge_release(release, environment, at) for release in releases)
    deciding = [verdict for verdict in verdicts if verdict.allowed] or verdicts
    reasons = [f"{one.release}: {reason}" for one in deciding for reason in one.reasons]
    return DigestVerdict(
        digest,
        any(verdict.allowed for verdict in verdicts),
        (*reasons, *_on_build(has_build)),
        has_build,
        verdicts,
    )


def judge_release(release: Release, environment: Environment, at: datetime) -> ReleaseVerdict:
    """By the newest pipeline of its service; without a stage for the environment it is not allowed."""
    if release.is_vetoed:
        return ReleaseVerdict(release, False, (f"It was vetoed: {release.veto_reason}",))
    pipeline = Pipeline.objects.filter(service=release.service).first()
    version = pipeline.current if pipeline else None
    stage = version.form.stage_of(environment.slug) if version else None
    if version is None or stage is None:
        lacks = "has no stage for " + environment.slug if version else "does not exist"
        return ReleaseVerdict(release, False, (f"The pipeline of its service {lacks}.",))
    facts = order_facts(release, version.form, stage, at)
    verdict = judge_availability(facts, at)
    reasons = tuple(plain([reason]) for reason in verdict.reasons)
    was_promoted = Promotion.objects.filter(
        release=release, environment=environment, state__in=BROUGHT
    ).exists()
    if verdict.available:
        return ReleaseVerdict(release, True, reasons, was_promoted, True, verdict.earliest)
    # What was let in stays allowed while its upstream changes, but nothing without a build does.
    is_let_in = was_promoted and (facts.built or not facts.require_build)
    if is_let_in:
        reasons = (f"It was promoted to {environment.slug}.", *reasons)
    return ReleaseVerdict(release, is_let_in, reasons, was_promoted, False, verdict.earliest)


def _on_build(has_build: bool) -> tuple[str, ...]:
    return () if has_build else ("No build of it is known.",)
