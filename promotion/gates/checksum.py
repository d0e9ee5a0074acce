"""The checksum gate: the bytes in the source repository are the ones the digests name."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from promotion.exceptions import ThroughlineError
from promotion.integrity.connecting import Repositories
from promotion.integrity.oci.errors import ImageNotFoundError
from promotion.integrity.oci.verifying import VerifiedImage, verify_image
from promotion.integrity.whereabouts import find_image, source_asked_for

from .base import GateContext, GateOutcome, Verdict

FRESH_FOR = timedelta(minutes=15)
RETRY_IN = timedelta(seconds=30)


class ChecksumGate:
    """Open when every blob of every artifact was read and hashes to the digest it is named by."""

    kind = "checksum"
    title = "Checksum"
    is_costly = True

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """It has no settings: it reads where the stage's copy would."""
        return [(key, f"The checksum gate has no setting {key}.") for key in settings]

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Waiting while a repository is out of reach or lacks the image, closed if any byte differs.

        Raises ThroughlineError where the image or the repository is such that nothing can be read.
        """
        artifacts = sorted(context.promotion.release.artifacts.all(), key=lambda one: one.digest)
        if not artifacts:
            return GateOutcome(
                Verdict.CLOSED, "The release has no artifacts, so there is nothing to check."
            )
        found: list[VerifiedImage] = []
        places: set[str] = set()
        source = source_asked_for(context.stage)
        try:
            with Repositories() as repositories:
                for artifact in artifacts:
                    image = find_image(
                        context.form, context.stage, artifact, repositories, source=source
                    )
                    places.add(image.place)
                    found.append(verify_image(image.repository, artifact.digest))
        except ThroughlineError as error:
            # An image that is not there yet may arrive.
            if error.retryable or isinstance(error, ImageNotFoundError):
                return GateOutcome(Verdict.WAITING, error.sentence, look_again_in=RETRY_IN)
            raise
        return _judge(found, places)


def _judge(found: list[VerifiedImage], places: set[str]) -> GateOutcome:
    wrong = [mismatch for image in found for mismatch in image.mismatches]
    where = ", ".join(sorted(places))
    if wrong:
        more = f" {len(wrong) - 1} more do not match." if len(wrong) > 1 else ""
        return GateOutcome(Verdict.CLOSED, f"In {where}: {wrong[0].sentence}{more}")
    size, blobs = sum(image.bytes for image in found), sum(image.blobs for image in found)
    notes = " ".join(note for image in found for note in image.notes)
    reason = (
        f"All {size:,} bytes in {blobs} blobs and {sum(image.manifests for image in found)} manifests"
        f" hash to their digests, in {len(places)} {'repository' if len(places) == 1 else 'repositories'}"
        f" ({where}). {notes}"
    )
    return GateOutcome(Verdict.OPEN, reason.strip(), fresh_for=FRESH_FOR)
