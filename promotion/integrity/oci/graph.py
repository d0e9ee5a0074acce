"""Everything an image consists of: its manifests, from the leaves up, and the blobs they name."""

from collections.abc import Callable
from dataclasses import dataclass, field

from promotion.exceptions import ThroughlineError
from promotion.integrity.digests import DigestMismatchError
from promotion.integrity.oci.errors import ImageTooLargeError, RepositoryUnreachableError
from promotion.integrity.oci.manifests import Descriptor, Manifest, parse_manifest
from promotion.integrity.oci.repository import Repository

# An index of indexes is allowed by the spec, but nobody needs many levels of them.
DEEPEST_INDEX = 4
MOST_MANIFESTS = 1000


@dataclass(slots=True)
class ImageGraph:
    """Manifests by digest, each after all that it names, and blobs by digest."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    blobs: dict[str, Descriptor] = field(default_factory=dict)


def read_graph(
    repository: Repository,
    digest: str,
    graph: ImageGraph | None = None,
    *,
    on_problem: Callable[[str, ThroughlineError], None] | None = None,
) -> ImageGraph:
    """Read a manifest and all it names, adding to `graph` if given.

    Raises ImageNotFoundError, DigestMismatchError, UnsupportedManifestError, ImageTooLargeError;
    with `on_problem` those of manifests below the first are told to it instead.
    """
    found = ImageGraph() if graph is None else graph
    _visit(repository, found, Descriptor("", digest, -1), 0, on_problem)
    return found


def _visit(
    repository: Repository,
    graph: ImageGraph,
    named: Descriptor,
    depth: int,
    on_problem: Callable[[str, ThroughlineError], None] | None,
) -> None:
    if named.digest in graph.manifests:
        return
    _check_limits(graph, named, depth)
    try:
        manifest = _read(repository, named)
    except (RepositoryUnreachableError, ImageTooLargeError):
        raise
    except ThroughlineError as error:
        if on_problem is None or depth == 0:
            raise
        on_problem(named.digest, error)
        return
    for child in manifest.children:
        _visit(repository, graph, child, depth + 1, on_problem)
    for blob in manifest.blobs:
        _add_blob(graph, blob)
    graph.manifests[manifest.digest] = manifest


def _read(repository: Repository, named: Descriptor) -> Manifest:
    stored = repository.read_manifest(named.digest)
    if named.size >= 0 and named.size != len(stored.raw):
        raise DigestMismatchError(
            f"The manifest {named.digest} has {len(stored.raw)} bytes, the index that names it "
            f"says {named.size}. It was not used. Build and push the image again.",
            expected=named.digest,
            size=len(stored.raw),
        )
    return parse_manifest(stored.raw, stored.media_type)


def _add_blob(graph: ImageGraph, blob: Descriptor) -> None:
    known = graph.blobs.setdefault(blob.digest, blob)
    if known.size != blob.size:
        raise DigestMismatchError(
            f"Two manifests give {known.size} and {blob.size} bytes as the size of "
            f"{blob.digest}. Nothing was used. Build and push the image again.",
            expected=blob.digest,
            size=blob.size,
        )


def _check_limits(graph: ImageGraph, named: Descriptor, depth: int) -> None:
    if depth > DEEPEST_INDEX:
        raise ImageTooLargeError(
            f"The image nests indexes deeper than {DEEPEST_INDEX} at {named.digest}. "
            "Nothing was changed. Build it with fewer levels."
        )
    if len(graph.manifests) >= MOST_MANIFESTS:
        raise ImageTooLargeError(
            f"The image and what refers to it have more than {MOST_MANIFESTS} manifests. "
            "Nothing was changed. Remove referrers that are no longer needed."
        )
