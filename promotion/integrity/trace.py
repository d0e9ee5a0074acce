"""The links from a commit to production of one release: which are there, and which are missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from promotion.models import Approval, Artifact, Deployment, Promotion, RunResult
from promotion.rules.pipeline import PipelineForm, StageForm

from .record import ReleaseRecord

LINKS = ("commit", "build", "signature", "provenance", "upstream", "approval", "deployment")


@dataclass(frozen=True, slots=True)
class Link:
    """One link that is asked for: whether it is there, and what proves it or is missing."""

    name: str
    is_there: bool
    sentence: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """Measure 4 for one release; `base` is its first successful production deployment."""

    links: tuple[Link, ...]
    base: Deployment | None
    stage: StageForm | None
    form: PipelineForm | None

    @property
    def missing(self) -> tuple[Link, ...]:
        """What is asked for and not there."""
        return tuple(link for link in self.links if not link.is_there)

    @property
    def have(self) -> int:
        """How many are there."""
        return len(self.links) - len(self.missing)

    @property
    def is_complete(self) -> bool:
        """Every link is there."""
        return not self.missing


def trace_release(record: ReleaseRecord, production: Iterable[str], at: datetime) -> Trace:
    """Tests every link by itself, for every artifact; a link is there when each artifact has it.

    `production` are the environments of the production tier, by slug. Definition: measure 4 of
    the measures v1. Signature, provenance and approval count where the stage that led into
    production asks for them, by the pipeline as of the first production deployment.
    """
    places = frozenset(production)
    bases = {one.pk: _first_success(record.deployments_of(one), places) for one in record.artifacts}
    found = [base for base in bases.values() if base is not None]
    base = min(found, key=_ended, default=None)
    form = _form_at(record, base)
    stage = _production_stage(form, base, places)
    tested: dict[str, list[Link]] = {}
    for artifact in record.artifacts:
        for link in _test(record, artifact, bases[artifact.pk], form, stage, places, at):
            tested.setdefault(link.name, []).append(link)
    links = tuple(_join(tested[name]) for name in LINKS if name in tested)
    return Trace(links, base, stage, form)


def _test(
    record: ReleaseRecord,
    artifact: Artifact,
    base: Deployment | None,
    form: PipelineForm | None,
    stage: StageForm | None,
    places: frozenset[str],
    at: datetime,
) -> list[Link]:
    links = [_commit(record, artifact), _build(record, artifact)]
    asked = {gate.kind for gate in stage.gates if not gate.advisory} if stage else set()
    links += [
        _statement(record, artifact, kind) for kind in ("signature", "provenance") if kind in asked
    ]
    links.append(_upstream(record, artifact, base, form, stage, at))
    needed = approvals_needed(stage) if stage else 0
    if needed:
        links.append(_approval(base, needed))
    links.append(_deployment(record, artifact, places))
    return links


def approvals_needed(stage: StageForm) -> int:
    """How many different people must approve: the sum over the rules where they must be distinct."""
    counts = [rule.count for rule in stage.approvals]
    return sum(counts) if stage.distinct else max(counts, default=0)


def _commit(record: ReleaseRecord, artifact: Artifact) -> Link:
    build = next((build for build in record.builds_of(artifact) if build.commit), None)
    if build is None:
        return Link("commit", False, f"No build of {_name(artifact)} names a commit.")
    where = f" in {build.repository}" if build.repository else ""
    return Link("commit", True, f"{build.commit[:12]}{where}.")


def _build(record: ReleaseRecord, artifact: Artifact) -> Link:
    build = next(iter(record.builds_of(artifact)), None)
    if build is None:
        return Link("build", False, f"No build of {_name(artifact)} is known.")
    return Link("build", True, f"Build {build.external_id} told by {build.source}.", build.url)


def _statement(record: ReleaseRecord, artifact: Artifact, kind: str) -> Link:
    about = [
        one
        for one in record.evidence
        if one.type == kind and record.artifact_of.get(one.digest) is artifact
    ]
    verified = next((one for one in about if one.is_verified and one.result != "failed"), None)
    if verified is not None:
        return Link(kind, True, f"Verified by us: {verified.title or kind}.", verified.url)
    told = "There is one, but it was not verified." if about else "There is none."
    return Link(
        kind, False, f"The pipeline asks for a verified {kind} of {_name(artifact)}. {told}"
    )


def _upstream(
    record: ReleaseRecord,
    artifact: Artifact,
    base: Deployment | None,
    form: PipelineForm | None,
    stage: StageForm | None,
    at: datetime,
) -> Link:
    required = required_upstream(form, stage) if form and stage else ()
    if not required:
        return Link("upstream", True, "Nothing has to come before.")
    by = (base.started_at or base.finished_at or at) if base else at
    been = {
        one.environment.slug
        for one in record.deployments_of(artifact)
        if one.result == RunResult.SUCCEEDED and one.finished_at and one.finished_at <= by
    }
    lacking = [place for place in required if place not in been]
    if lacking:
        when = " before production" if base else " yet"
        return Link(
            "upstream", False, f"{_name(artifact)} was not deployed in {_list(lacking)}{when}."
        )
    return Link("upstream", True, f"The same digest was deployed in {_list(required)} before.")


def required_upstream(form: PipelineForm, stage: StageForm) -> tuple[str, ...]:
    """The environments of every stage that leads to this one, nearest last, without repeats."""
    found: list[str] = []
    for before in form.upstream_of(stage):
        for place in (*required_upstream(form, before), before.environment):
            if place not in found:
                found.append(place)
    return tuple(found)


def _approval(base: Deployment | None, needed: int) -> Link:
    people = "person" if needed == 1 else "people"
    if base is None:
        return Link("approval", False, f"{needed} {people} must approve; none is asked yet.")
    if base.promotion is None:
        return Link("approval", False, "No promotion of ours brought it, so nobody approved it.")
    names = approvers_before(base.promotion, base.promotion.started_at or base.started_at)
    is_there = len(names) >= needed
    said = f"by {_list(names)}" if names else "by nobody"
    short = "" if is_there else f"; {needed} {people} had to"
    return Link("approval", is_there, f"{base.promotion.number} was approved {said}{short}.")


def approvers_before(promotion: Promotion, at: datetime | None) -> list[str]:
    """The names of those whose last decision by then, on its final content, was to approve."""
    last: dict[int, Approval] = {}
    for decision in promotion.approvals.all():
        if (at is None or decision.at <= at) and decision.content_hash == promotion.content_hash:
            last[decision.person_id] = decision
    return [one.person.name for one in last.values() if one.decision == Approval.Decision.APPROVE]


def _deployment(record: ReleaseRecord, artifact: Artifact, places: frozenset[str]) -> Link:
    reported = [one for one in record.deployments_of(artifact) if one.environment.slug in places]
    if reported:
        first = reported[0]
        return Link("deployment", True, f"Told by {first.source}: {first.result}.", first.url)
    seen = any(
        one.environment.slug in places and record.artifact_of.get(one.digest) is artifact
        for one in record.observations
    )
    why = "was seen in production, but no deployment of it was reported" if seen else ""
    return Link("deployment", False, f"{_name(artifact)} {why or 'is not in production yet'}.")


def _first_success(deployments: list[Deployment], places: frozenset[str]) -> Deployment | None:
    there = [
        one
        for one in deployments
        if one.result == RunResult.SUCCEEDED and one.finished_at and one.environment.slug in places
    ]
    return min(there, key=_ended, default=None)


def _ended(deployment: Deployment) -> tuple[datetime, int]:
    # Only those with a finish come here; the type does not know it.
    return deployment.finished_at or deployment.received_at, deployment.pk


def _form_at(record: ReleaseRecord, base: Deployment | None) -> PipelineForm | None:
    """As of the first production deployment; the oldest where none was applied by then."""
    if not record.versions:
        return None
    if base is None:
        return record.versions[-1].form
    by = base.started_at or base.finished_at or base.received_at
    then = [version for version in record.versions if version.applied_at <= by]
    return (then[-1] if then else record.versions[0]).form


def _production_stage(
    form: PipelineForm | None, base: Deployment | None, places: frozenset[str]
) -> StageForm | None:
    if form is None:
        return None
    if base is not None:
        return form.stage_of(base.environment.slug)
    return next((stage for stage in form.stages if stage.environment in places), None)


def _join(links: list[Link]) -> Link:
    """Of several artifacts: the first that lacks it, else the first."""
    return next((link for link in links if not link.is_there), links[0])


def _name(artifact: Artifact) -> str:
    return artifact.short_name or artifact.digest[:19]


def _list(names: Iterable[str]) -> str:
    words = list(names)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
