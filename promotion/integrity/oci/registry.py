"""Repositories behind a registry (OCI distribution spec 1.1)."""

from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Self

import httpx

from promotion.exceptions import ThroughlineError
from promotion.integrity.digests import (
    DigestMismatchError,
    StreamingHasher,
    check_hash,
    compute_digest,
    is_digest,
    parse_digest,
    pass_hashed,
)
from promotion.integrity.oci.authorization import RegistryCredentials
from promotion.integrity.oci.connection import RegistryConnection
from promotion.integrity.oci.manifests import (
    LARGEST_MANIFEST,
    MANIFEST_TYPES,
    Descriptor,
    RawManifest,
    parse_manifest,
)
from promotion.integrity.oci.names import check_repository_name, check_tag
from promotion.integrity.oci.registry_lists import ReferrersList, read_tags
from promotion.integrity.oci.repository import Chunks, MountAnswer, Repository
from promotion.integrity.oci.wire import (
    check_answer,
    explain_failure,
    make_client,
    read_limited,
)

_ACCEPT = ", ".join(MANIFEST_TYPES)


class OciRegistry:
    """A registry at an address such as `https://registry.example.org`.

    Give a `client` whose transport guards what addresses may be called; it must not follow
    redirects by itself and is closed by whoever made it.
    """

    def __init__(
        self,
        base_url: str,
        credentials: RegistryCredentials | None = None,
        *,
        client: httpx.Client | None = None,
    ) -> None:
        self._is_client_ours = client is None
        self._client = make_client() if client is None else client
        self.connection = RegistryConnection(base_url, self._client, credentials)

    def open_repository(self, name: str) -> "RegistryRepository":
        """Return the repository of that name; raises InvalidNameError."""
        return RegistryRepository(self.connection, name)

    def check_access(self) -> None:
        """Ask whether the registry answers and lets us in; raises the error that says why not."""
        with closing(self.connection.fetch(self.connection.locate(""), ())) as response:
            check_answer(response, f"use the registry {self.connection.base_url.host}")

    def close(self) -> None:
        """Close the connections, unless the client was given."""
        if self._is_client_ours:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RegistryRepository:
    """One repository of a registry; safe to use from threads."""

    def __init__(self, connection: RegistryConnection, name: str) -> None:
        self.connection = connection
        self.name = check_repository_name(name)
        self._pull = (f"repository:{name}:pull",)
        self._push = (f"repository:{name}:pull,push",)

    @property
    def address(self) -> str:
        """Where it is, as shown to people."""
        base = self.connection.base_url
        return f"{base.netloc.decode()}/{self.name}"

    def shares_blobs_with(self, other: Repository) -> bool:
        """Is the other repository in the same registry?"""
        return (
            isinstance(other, RegistryRepository)
            and other.connection.base_url == self.connection.base_url
        )

    def has_blob(self, digest: str, size: int) -> bool:
        """Is a blob of that name here? Raises DigestMismatchError if its size (bytes) differs."""
        url = self._locate(f"blobs/{parse_digest(digest)}")
        with closing(self._head(url)) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return False
            check_answer(response, f"look for {digest} in {self.address}")
            stated: str = response.headers.get("content-length", "")
        if stated.isdigit() and int(stated) != size:
            raise DigestMismatchError(
                f"{self.address} holds {stated} bytes under {digest}, its descriptor says {size}. "
                "Nothing was changed. Remove the damaged blob from the registry's storage.",
                expected=digest,
                size=int(stated),
            )
        return stated.isdigit()

    def open_blob(self, digest: str) -> Chunks:
        """Yield the stored bytes, unchecked; raises ImageNotFoundError."""
        url = self._locate(f"blobs/{parse_digest(digest)}")
        with closing(self.connection.fetch(url, self._pull)) as response:
            check_answer(response, f"read {digest} from {self.address}")
            try:
                yield from response.iter_raw()
            except httpx.TransportError as error:
                raise explain_failure(error, response.url.host) from error

    def write_blob(
        self, digest: str, size: int, chunks: Iterable[bytes], *, upload: str = ""
    ) -> None:
        """Stream a blob and name it once its bytes are checked; raises DigestMismatchError."""
        parse_digest(digest)
        location = httpx.URL(upload) if upload else self._begin_upload()
        hasher = StreamingHasher()
        try:
            location = self._stream(location, pass_hashed(chunks, hasher, digest, size), size)
            check_hash(hasher, digest=digest, size=size)
            named = location.copy_merge_params({"digest": digest})
            with closing(self.connection.send("PUT", named, self._push, content=b"")) as response:
                check_answer(response, f"write {digest} to {self.address}")
        except BaseException:
            self._drop_upload(location)
            raise

    def mount_blob(self, digest: str, source: Repository) -> MountAnswer:
        """Mount a blob from another repository of this registry; its bytes are not checked."""
        if not isinstance(source, RegistryRepository) or not self.shares_blobs_with(source):
            return MountAnswer(is_mounted=False)
        url = self._locate("blobs/uploads/").copy_merge_params(
            {"mount": parse_digest(digest), "from": source.name}
        )
        # Without rights to read there the registry opens an upload instead of refusing.
        scopes = (*source._pull, *self._push) if source.name != self.name else self._push
        with closing(self.connection.send("POST", url, scopes, content=b"")) as response:
            check_answer(response, f"mount {digest} from {source.address} in {self.address}")
            if response.status_code == httpx.codes.CREATED:
                return MountAnswer(is_mounted=True)
            location = self.connection.follow(response.headers.get("location", ""), url)
        return MountAnswer(is_mounted=False, upload=str(location))

    def read_manifest(self, reference: str) -> RawManifest:
        """Return the manifest of a tag or digest as stored.

        Raises ImageNotFoundError, UnsupportedManifestError, DigestMismatchError.
        """
        wanted = reference if is_digest(reference) else check_tag(reference)
        url = self._locate(f"manifests/{wanted}")
        with closing(
            self.connection.fetch(url, self._pull, headers={"Accept": _ACCEPT})
        ) as response:
            check_answer(response, f"read the manifest {wanted} from {self.address}")
            raw = read_limited(response, LARGEST_MANIFEST)
            stated = response.headers.get("docker-content-digest", "")
            media_type = response.headers.get("content-type", "")
        found = compute_digest(raw)
        for expected in (wanted, stated):
            if is_digest(expected) and expected != found:
                raise DigestMismatchError(
                    f"The manifest {expected} in {self.address} hashes to {found}. It was not "
                    "used. Find out who changed it, or build and push the image again.",
                    expected=expected,
                    found=found,
                    size=len(raw),
                )
        return RawManifest(raw, parse_manifest(raw, media_type).media_type, found)

    def write_manifest(self, raw: bytes, media_type: str, reference: str) -> str:
        """Store a manifest unchanged under a digest or tag and return its digest.

        Raises UnsupportedManifestError, DigestMismatchError.
        """
        manifest = parse_manifest(raw, media_type)
        wanted = reference if is_digest(reference) else check_tag(reference)
        if is_digest(wanted) and wanted != manifest.digest:
            raise DigestMismatchError(
                f"A manifest that hashes to {manifest.digest} cannot be written as {wanted}. "
                "Nothing was changed. Read the manifest again.",
                expected=wanted,
                found=manifest.digest,
            )
        url = self._locate(f"manifests/{wanted}")
        headers = {"Content-Type": manifest.media_type}
        with closing(
            self.connection.send("PUT", url, self._push, headers=headers, content=raw)
        ) as response:
            check_answer(response, f"write the manifest {wanted} to {self.address}")
        if manifest.subject is not None:
            ReferrersList(self, manifest.subject.digest).add(manifest)
        return manifest.digest

    def list_referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """Return the referrers by the API, or by the fallback tag where there is none."""
        return ReferrersList(self, parse_digest(digest)).read()

    def list_tags(self) -> tuple[str, ...]:
        """Return all tags in order."""
        return read_tags(self)

    def resolve(self, tag: str) -> str:
        """Return the digest a tag names now; raises ImageNotFoundError."""
        # HEAD would do with most registries, but its digest is only what the registry says.
        return self.read_manifest(check_tag(tag)).digest

    def tag(self, digest: str, name: str) -> None:
        """Let a tag name a manifest that is here; raises ImageNotFoundError."""
        stored = self.read_manifest(parse_digest(digest))
        self.write_manifest(stored.raw, stored.media_type, check_tag(name))

    def fetch(self, path: str, *, accept: str = "application/json") -> httpx.Response:
        """GET a path of this repository; the caller closes the answer."""
        return self.fetch_url(self._locate(path), accept)

    def fetch_url(self, url: httpx.URL, accept: str = "") -> httpx.Response:
        """GET an address the registry named, such as a next page; the caller closes the answer."""
        headers = {"Accept": accept or "application/json"}
        return self.connection.fetch(url, self._pull, headers=headers)

    def _locate(self, path: str) -> httpx.URL:
        return self.connection.locate(f"{self.name}/{path}")

    def _head(self, url: httpx.URL) -> httpx.Response:
        response = self.connection.send("HEAD", url, self._pull)
        if response.is_redirect:
            response.close()
            url = self.connection.follow(response.headers.get("location", ""), url)
            response = self.connection.send("HEAD", url, self._pull)
        return response

    def _begin_upload(self) -> httpx.URL:
        url = self._locate("blobs/uploads/")
        with closing(self.connection.send("POST", url, self._push, content=b"")) as response:
            check_answer(response, f"begin an upload to {self.address}")
            return self.connection.follow(response.headers.get("location", ""), url)

    def _stream(self, location: httpx.URL, chunks: Iterable[bytes], size: int) -> httpx.URL:
        """Send the bytes to an upload, which has no name yet, and return where it goes on."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with closing(
            self.connection.send("PATCH", location, self._push, headers=headers, content=chunks)
        ) as response:
            check_answer(response, f"upload to {self.address}")
            return self.connection.follow(response.headers.get("location", ""), location)

    def _drop_upload(self, location: httpx.URL) -> None:
        # Uploads left open fill a registry's disk; that this fails too must not hide the cause.
        with suppress(ThroughlineError):
            self.connection.send("DELETE", location, self._push).close()
