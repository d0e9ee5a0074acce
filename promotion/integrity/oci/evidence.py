"""What refers to an image: signatures, attestations and SBOMs kept beside it in the repository.

Three ways are in use, and all are read: the referrers API, its fallback tag, and the tags
`sha256-<hex>.sig`, `.att` and `.sbom` of cosign before version 3.
"""

from collections import deque
from dataclasses import dataclass, field

from promotion.integrity.oci.errors import ImageNotFoundError, ImageTooLargeError
from promotion.integrity.oci.graph import ImageGraph, read_graph
from promotion.integrity.oci.names import name_legacy_tags
from promotion.integrity.oci.repository import Repository

# A signature on an SBOM of an image is at depth 2.
DEEPEST_REFERRER = 4
MOST_REFERRERS = 500


@dataclass(slots=True)
class Evidence:
    """The referrers found, the legacy tags with the digests they name, and what to tell."""

    referrers: dict[str, None] = field(default_factory=dict)
    legacy_tags: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many manifests refer to the image or to each other."""
        return len(self.referrers) + len(self.legacy_tags)


def collect_evidence(repository: Repository, graph: ImageGraph) -> Evidence:
    """Read all that refers to the manifests in `graph`, and to those in turn, into it.

    Raises ImageTooLargeError beyond 500 referrers or 4 levels: evidence is never left out
    silently. A list may name what is gone or what has another subject; that is noted.
    """
    evidence = Evidence()
    waiting = deque((digest, 1) for digest in list(graph.manifests))
    asked: set[str] = set()
    while waiting:
        digest, depth = waiting.popleft()
        if digest in asked:
            continue
        asked.add(digest)
        found = _read_referrers(repository, digest, graph, evidence)
        found += _read_legacy(repository, digest, graph, evidence)
        if found and depth > DEEPEST_REFERRER:
            raise ImageTooLargeError(
                f"Referrers refer to each other deeper than {DEEPEST_REFERRER} levels at "
                f"{digest}. No tag was changed. Remove those that are not needed."
            )
        waiting.extend((one, depth + 1) for one in found)
    return evidence


def _read_referrers(
    repository: Repository, digest: str, graph: ImageGraph, evidence: Evidence
) -> list[str]:
    found = []
    for listed in repository.list_referrers(digest):
        if listed.digest in evidence.referrers:
            continue
        _check_count(evidence, digest)
        try:
            read_graph(repository, listed.digest, graph)
        except ImageNotFoundError as error:
            evidence.notes.append(
                f"Not everything of the referrer {listed.digest} of {digest} is there, so it "
                f"was left out: {error.sentence}"
            )
            continue
        subject = graph.manifests[listed.digest].subject
        if subject is None or subject.digest != digest:
            evidence.notes.append(
                f"{listed.digest} is listed as a referrer of {digest} but says it is not; "
                "it was left out of the list."
            )
            continue
        evidence.referrers[listed.digest] = None
        found.append(listed.digest)
    return found


def _read_legacy(
    repository: Repository, digest: str, graph: ImageGraph, evidence: Evidence
) -> list[str]:
    found = []
    for tag in name_legacy_tags(digest):
        try:
            named = repository.resolve(tag)
        except ImageNotFoundError:
            continue
        _check_count(evidence, digest)
        read_graph(repository, named, graph)
        evidence.legacy_tags[tag] = named
        found.append(named)
    return found


def _check_count(evidence: Evidence, digest: str) -> None:
    if evidence.count >= MOST_REFERRERS:
        raise ImageTooLargeError(
            f"More than {MOST_REFERRERS} manifests refer to {digest} and what belongs to it. "
            "No tag was changed. Remove those that are not needed."
        )
