"""What a registry lists: tags, and the referrers of a digest (OCI distribution spec 1.1)."""

import json
import threading
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

from promotion.integrity.oci.errors import (
    ImageNotFoundError,
    ImageTooLargeError,
    UnsupportedManifestError,
)
from promotion.integrity.oci.manifests import (
    LARGEST_MANIFEST,
    OCI_INDEX,
    Descriptor,
    Manifest,
    RawManifest,
    parse_manifest,
)
from promotion.integrity.oci.names import name_fallback_tag
from promotion.integrity.oci.referrers import add_referrer, merge_descriptors, read_referrers
from promotion.integrity.oci.wire import check_answer, read_limited

if TYPE_CHECKING:
    from promotion.integrity.oci.registry import RegistryRepository

_MOST_PAGES = 1000
_WRITE_ATTEMPTS = 5
# Registries without the API answer in one of these ways; anything else is a failure.
_NO_API = frozenset({400, 404, 405, 406, 501})
# Threads of this process take turns at a list; a fixed number, so that it cannot grow.
_LOCKS = tuple(threading.Lock() for _ in range(64))


class ReferrersList:
    """The referrers of one digest in one repository of a registry."""

    def __init__(self, repository: "RegistryRepository", digest: str) -> None:
        self._repository = repository
        self._digest = digest
        self._tag = name_fallback_tag(digest)

    def read(self) -> tuple[Descriptor, ...]:
        """Return what the API lists and what the fallback tag does, each digest once.

        Both, because a registry that learnt the API later need not have read its old tags.
        """
        stored = self._read_fallback()
        tagged = () if stored is None else read_referrers(stored, self._tag)
        return merge_descriptors(self._read_pages() or (), tagged)

    def add(self, referrer: Manifest) -> None:
        """List a referrer under the fallback tag, unless the registry has the API.

        Whether it has is asked and not read off `OCI-Subject`: one is said to send that header
        without serving the list.
        The spec knows no compare-and-set, so the tag is read again afterwards, and written again
        if somebody else's list took the place of ours. Raises UnsupportedManifestError.
        """
        if self._read_pages() is not None:
            return
        name = f"{self._repository.address}@{self._digest}".encode()
        with _LOCKS[zlib.crc32(name) % len(_LOCKS)]:
            for _ in range(_WRITE_ATTEMPTS):
                raw = add_referrer(self._read_fallback(), self._tag, referrer)
                if raw is None:
                    return
                self._repository.write_manifest(raw, OCI_INDEX, self._tag)
        if add_referrer(self._read_fallback(), self._tag, referrer) is not None:
            raise UnsupportedManifestError(
                f"{self._repository.address} does not keep {referrer.digest} in the list of "
                f"referrers {self._tag}. No image tag was changed. Find out who else writes it."
            )

    def _read_fallback(self) -> RawManifest | None:
        try:
            return self._repository.read_manifest(self._tag)
        except ImageNotFoundError:
            return None

    def _read_pages(self) -> tuple[Descriptor, ...] | None:
        """Return what the API lists, or None where the registry has none."""
        pages = _read_all_pages(self._repository, f"referrers/{self._digest}", OCI_INDEX)
        if pages is None:
            return None
        return merge_descriptors(*(parse_manifest(page, OCI_INDEX).children for page in pages))


def read_tags(repository: "RegistryRepository") -> tuple[str, ...]:
    """Return all tags of a repository in order; raises ImageNotFoundError."""
    tags: set[str] = set()
    for page in _read_all_pages(repository, "tags/list", "") or ():
        try:
            document: Any = json.loads(page)
            tags.update(str(tag) for tag in document["tags"] or ())
        except (ValueError, KeyError, TypeError):
            raise UnsupportedManifestError(
                f"{repository.address} answered without a list of tags. Nothing was changed. "
                "Check the registry's address."
            ) from None
    return tuple(sorted(tags))


def _read_all_pages(
    repository: "RegistryRepository", path: str, media_type: str
) -> list[bytes] | None:
    """Return the pages of a list, or None where the registry does not have this kind of list.

    With a `media_type` an answer that is missing or of another type means that it has none.
    """
    pages: list[bytes] = []
    response = repository.fetch(path, accept=media_type or "application/json")
    while True:
        with closing(response):
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            is_absent = response.status_code in _NO_API
            if media_type and (is_absent or (response.is_success and kind != media_type)):
                return None
            check_answer(response, f"read {path} of {repository.address}")
            pages.append(read_limited(response, LARGEST_MANIFEST))
            following = response.links.get("next", {}).get("url")
            here = response.url
        if not following:
            return pages
        if len(pages) >= _MOST_PAGES:
            raise ImageTooLargeError(
                f"The list {path} of {repository.address} has more than {_MOST_PAGES} pages. "
                "Nothing was changed. Remove tags or referrers that are no longer needed."
            )
        response = repository.fetch_url(repository.connection.follow(following, here), media_type)
