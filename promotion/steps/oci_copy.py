"""The step oci-copy: brings the release's images, unchanged, into a repository."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from promotion.integrity.connecting import Repositories
from promotion.integrity.oci.copying import CopyResult, copy_image
from promotion.integrity.oci.errors import CopyStoppedError, InvalidNameError
from promotion.integrity.oci.names import check_tag
from promotion.integrity.whereabouts import find_image, place_of
from promotion.models import Artifact
from promotion.rules.settings import Problem, check_text, need_text, unknown_keys

from .base import Outcome, StepContext, StepResult

SETTINGS = ("to", "from", "tags")
# The database is asked whether to stop this often, however often the copy would like to know.
_ASK_SECONDS = 1.0


class OciCopyStep:
    """Copies every artifact of the release by digest, with what refers to it; tags come last."""

    kind = "oci-copy"
    title = "Copy images"
    default_timeout: timedelta | None = timedelta(hours=1)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`to` is needed, `from` may be another of the pipeline's repositories, `tags` a list."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from need_text(settings, "to", what="the name of one of the pipeline's repositories")
        yield from check_text(
            settings, "from", what="the name of one of the pipeline's repositories"
        )
        yield from _tag_problems(settings.get("tags"))

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'Images to production'."""
        return f"Images to {inputs.get('to', '')}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: what is there by its digest is not copied again."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Copy one artifact after the other.

        Raises what finding and copying an image raises; DigestMismatchError is not retryable.
        """
        artifacts = sorted(
            context.promotion.release.artifacts.all(), key=lambda one: (one.short_name, one.digest)
        )
        outputs = []
        limit = _Limit(context)
        try:
            with Repositories() as repositories:
                for number, artifact in enumerate(artifacts):
                    progress = _progress(context, number, len(artifacts), artifact)
                    outputs.append(_copy(context, repositories, artifact, progress, limit))
        except CopyStoppedError:
            if limit.is_over:
                return StepResult(
                    Outcome.ERRORED,
                    "The copy did not end in time, and no tag was set for what was not whole."
                    " Give the step a longer timeout; what was copied is not copied again.",
                    {"is_retryable": False},
                )
            # The next look finds that a person asked to stop, and ends the promotion.
            return StepResult(
                Outcome.WAITING, "The copy stopped as asked.", look_again_in=timedelta(0)
            )
        return StepResult(Outcome.SUCCEEDED, _sum_up(outputs, context.inputs), {"images": outputs})

    def look(self, context: StepContext) -> StepResult:
        """Goes on with a copy that was stopped."""
        return self.start(context)


class _Limit:
    """Whether to stop: a person asked, or the time is over."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        left = None if context.deadline is None else (context.deadline - context.at).total_seconds()
        self._ends = None if left is None else time.monotonic() + left
        self._asked = -_ASK_SECONDS
        self._answer = False
        self.is_over = False

    def __call__(self) -> bool:
        now = time.monotonic()
        self.is_over = self._ends is not None and now >= self._ends
        if now - self._asked >= _ASK_SECONDS:
            self._asked, self._answer = now, self._context.should_stop()
        return self.is_over or self._answer


def _copy(
    context: StepContext,
    repositories: Repositories,
    artifact: Artifact,
    progress: Callable[[int, int], None],
    limit: _Limit,
) -> dict[str, Any]:
    form = context.promotion.pipeline_version.form
    to = place_of(form, str(context.inputs["to"]), artifact)
    target = repositories.open(to)
    stage = form.stage(context.promotion.stage)
    found = find_image(form, stage, artifact, repositories, source=context.inputs.get("from"))
    result = copy_image(
        found.repository,
        target,
        artifact.digest,
        tags=_tags(context),
        on_progress=progress,
        should_stop=limit,
    )
    return _output(artifact, found.place, to, result)


def _progress(
    context: StepContext, number: int, count: int, artifact: Artifact
) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        share = done / total if total else 1.0
        amount = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
        which = (
            f"{artifact.short_name} ({number + 1} of {count})" if count > 1 else artifact.short_name
        )
        context.report((number + share) / count, f"{which}: {amount}")

    return report


def _tags(context: StepContext) -> tuple[str, ...]:
    given = context.inputs.get("tags")
    if given is not None:
        return tuple(str(tag) for tag in given)
    version = context.promotion.release.version
    try:
        return (check_tag(version),)
    except InvalidNameError:
        # A version such as 1.0.0+4 is a version all the same; a plus sign is no part of a tag.
        return (check_tag(version.replace("+", "_")),)


def _output(artifact: Artifact, source: str, to: str, result: CopyResult) -> dict[str, Any]:
    return {
        "name": artifact.short_name,
        "digest": result.digest,
        "from": source,
        "to": to,
        "tags": list(result.tags),
        "manifests": result.manifests,
        "referrers": result.referrers,
        "blobs_copied": result.blobs_copied,
        "blobs_present": result.blobs_present,
        "blobs_mounted": result.blobs_mounted,
        "bytes_copied": result.bytes_copied,
        "notes": list(result.notes),
    }


def _sum_up(outputs: list[dict[str, Any]], inputs: Mapping[str, Any]) -> str:
    def total(key: str) -> int:
        return sum(int(output[key]) for output in outputs)

    images = "1 image is" if len(outputs) == 1 else f"{len(outputs)} images are"
    return (
        f"{images} in {inputs['to']} under the same digest: {total('blobs_copied')} blobs copied"
        f" ({total('bytes_copied') / 1e6:.1f} MB), {total('blobs_mounted')} mounted,"
        f" {total('blobs_present')} there already."
    )


def _tag_problems(tags: Any) -> Iterator[Problem]:
    if tags is None:
        return
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        yield "tags", 'tags must be a list of texts, such as ["{version}"].'
        return
    for tag in tags:
        try:
            if "{" not in tag:
                check_tag(tag)
        except InvalidNameError as error:
            yield "tags", error.sentence
