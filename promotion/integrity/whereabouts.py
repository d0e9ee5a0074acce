"""Where an image of a release is kept: what a copy reads from and the checksum gate checks."""

from collections.abc import Iterator
from dataclasses import dataclass

from promotion.exceptions import InputError, ThroughlineError
from promotion.integrity.connecting import OCI_KINDS, Repositories
from promotion.integrity.digests import DigestMismatchError, shorten_digest
from promotion.integrity.oci.errors import (
    ImageNotFoundError,
    InvalidNameError,
    RepositoryRefusedError,
    RepositoryUnreachableError,
)
from promotion.integrity.oci.names import check_repository_name
from promotion.integrity.oci.repository import Repository
from promotion.models import Artifact, Connection
from promotion.rules.pipeline import PipelineForm, StageForm
from promotion.rules.templates import fill_templates


@dataclass(frozen=True, slots=True)
class FoundImage:
    """A place ("connection/path") and the repository there, which names the digest."""

    place: str
    repository: Repository


def place_of(form: PipelineForm, key: str, artifact: Artifact) -> str:
    """Return "connection/path" of an artifact in the repository a pipeline calls `key`.

    Raises InputError where the pipeline's `repositories` has no such key.
    """
    if key not in form.repositories:
        known = ", ".join(form.repositories) or "none"
        raise InputError(
            f"The pipeline of {form.service} names no repository {key!r}, only {known}."
            " Nothing was done. Correct the pipeline."
        )
    names = {"name": artifact.short_name, "service": form.service}
    return str(fill_templates(form.repositories[key], names))


def find_image(
    form: PipelineForm,
    stage: StageForm,
    artifact: Artifact,
    repositories: Repositories,
    *,
    source: str | None = None,
) -> FoundImage:
    """Return the first place that names the artifact's digest, its bytes not yet checked.

    Asked in turn: where the upstream stages copied to, the pipeline's other repositories, the
    stage's own, then where the artifact was first seen. `source` is a key of the pipeline's
    repositories and then alone asked. Raises ImageNotFoundError, RepositoryRefusedError,
    RepositoryUnreachableError (also where a place that did not answer may have it), InputError.
    """
    places = [place_of(form, source, artifact)] if source else list(_places(form, stage, artifact))
    if not places:
        raise InputError(
            f"Nothing says where {artifact} is kept, so its bytes cannot be read."
            " Name repositories in the pipeline, or add a connection to its registry."
        )
    failures: list[ThroughlineError] = []
    for place in dict.fromkeys(places):
        repository = repositories.open(place)
        try:
            repository.read_manifest(artifact.digest)
        except DigestMismatchError:
            pass  # it is there, and damaged: whoever reads it must say so
        except ImageNotFoundError:
            continue
        except (RepositoryRefusedError, RepositoryUnreachableError) as error:
            failures.append(error)
            continue
        return FoundImage(place, repository)
    # One that may answer next time says more than one that refuses.
    failures.sort(key=lambda failure: not failure.retryable)
    if failures:
        raise failures[0]
    raise ImageNotFoundError(
        f"{shorten_digest(artifact.digest)} of {artifact.short_name} is in none of"
        f" {', '.join(dict.fromkeys(places))}. Nothing was changed. Push it to one of them."
    )


def source_asked_for(stage: StageForm) -> str | None:
    """The key of the repository that the stage's copy reads from, if it says one."""
    for step in stage.steps:
        if step.kind == "oci-copy" and isinstance(step.settings.get("from"), str):
            return str(step.settings["from"])
    return None


def _places(form: PipelineForm, stage: StageForm, artifact: Artifact) -> Iterator[str]:
    keys: list[str] = []
    for upstream in form.upstream_of(stage):
        keys += [*_copied_to(upstream), upstream.environment, upstream.name]
    own = _copied_to(stage)
    keys += [key for key in form.repositories if key not in own]
    for key in (*keys, *own):
        if key in form.repositories:
            yield place_of(form, key, artifact)
    seen = artifact.tags.order_by("seen_at", "pk").values_list("repository", flat=True)
    connections = Connection.objects.filter(kind__in=OCI_KINDS).values_list("name", flat=True)
    for path in dict.fromkeys([*seen, artifact.name]):
        try:
            check_repository_name(path)
        except InvalidNameError:
            continue  # a sender's own spelling, no repository we could ask for
        yield from (f"{connection}/{path}" for connection in connections)


def _copied_to(stage: StageForm) -> list[str]:
    steps = (step for step in stage.steps if step.kind == "oci-copy")
    return [str(step.settings["to"]) for step in steps if "to" in step.settings]
