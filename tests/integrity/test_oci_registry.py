"""Registries: a real one, one with passwords, one with tokens, and answers no real one gives."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from promotion.exceptions import InputError
from promotion.integrity.digests import DigestMismatchError, compute_digest
from promotion.integrity.oci.authorization import RegistryCredentials
from promotion.integrity.oci.building import attach_referrer, build_image
from promotion.integrity.oci.copying import copy_image
from promotion.integrity.oci.errors import (
    ImageNotFoundError,
    RepositoryRefusedError,
    RepositoryUnreachableError,
    UnsupportedManifestError,
)
from promotion.integrity.oci.layout import OciLayout
from promotion.integrity.oci.manifests import (
    LARGEST_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    parse_manifest,
)
from promotion.integrity.oci.names import name_fallback_tag
from promotion.integrity.oci.registry import OciRegistry, RegistryRepository
from promotion.integrity.oci.verifying import verify_image
from promotion.integrity.oci.wire import make_client
from tests.parts.recording_server import Answer, Asked, RecordingServer, run_recording_server
from tests.parts.registry import RunningRegistry, find_free_port, run_registry
from tests.parts.token_service import run_token_service

USER = RegistryCredentials("tester", "correct horse")
# bcrypt of that password at the lowest cost; the registry program knows no other kind.
HTPASSWD = "tester:$2b$04$uURPEO2H31Em2Ww9bWsn9uLUF7kv.lkt.njMsHcxmpg9INOd5gcK2\n"
BLOB = b"what the blob says"
BLOB_DIGEST = compute_digest(BLOB)

OpenRepository = Callable[[RunningRegistry], RegistryRepository]


@contextmanager
def open_answering(
    answer: Callable[[Asked], Answer], credentials: RegistryCredentials | None = None
) -> Iterator[tuple[RegistryRepository, RecordingServer]]:
    """Open a repository of a registry that answers as told."""
    with (
        run_recording_server(answer) as server,
        OciRegistry(server.base_url, credentials) as registry,
    ):
        yield registry.open_repository("team/service"), server


@pytest.fixture
def repository(
    running_registry: RunningRegistry, open_repository: OpenRepository
) -> RegistryRepository:
    return open_repository(running_registry)


def test_a_blob_written_is_there_and_reads_back(repository: RegistryRepository) -> None:
    assert not repository.has_blob(BLOB_DIGEST, len(BLOB))
    repository.write_blob(BLOB_DIGEST, len(BLOB), [BLOB[:5], BLOB[5:]])
    assert repository.has_blob(BLOB_DIGEST, len(BLOB))
    assert b"".join(repository.open_blob(BLOB_DIGEST)) == BLOB


def test_an_empty_blob_can_be_written(repository: RegistryRepository) -> None:
    digest = compute_digest(b"")
    repository.write_blob(digest, 0, [])
    assert repository.has_blob(digest, 0)


def test_a_blob_with_wrong_bytes_is_not_written_and_its_upload_is_dropped(
    repository: RegistryRepository, running_registry: RunningRegistry
) -> None:
    digest = compute_digest(b"right" * 100_000)
    wrong = [b"wrong" * 20_000] * 5
    with pytest.raises(DigestMismatchError):
        repository.write_blob(digest, 500_000, wrong)
    assert not repository.has_blob(digest, 500_000)
    uploads = running_registry.storage / f"docker/registry/v2/repositories/{repository.name}"
    assert list(uploads.glob("_uploads/*/data")) == []


def test_a_blob_of_another_size_than_described_is_a_mismatch(
    repository: RegistryRepository,
) -> None:
    repository.write_blob(BLOB_DIGEST, len(BLOB), [BLOB])
    with pytest.raises(DigestMismatchError, match="18 bytes"):
        repository.has_blob(BLOB_DIGEST, 17)


@pytest.mark.parametrize("reference", ["nothing", "sha256:" + "0" * 64])
def test_a_manifest_that_is_not_there_is_missing(
    repository: RegistryRepository, reference: str
) -> None:
    with pytest.raises(ImageNotFoundError, match="push the image first"):
        repository.read_manifest(reference)


def test_tags_are_listed_and_name_the_digest_of_the_bytes(repository: RegistryRepository) -> None:
    digest = build_image(repository, files={"a": b"1"}, tag="b")
    repository.tag(digest, "a")
    assert repository.list_tags() == ("a", "b")
    assert repository.resolve("a") == digest


def test_a_referrer_is_listed_where_the_registry_has_no_list_of_its_own(
    repository: RegistryRepository,
) -> None:
    digest = build_image(repository, files={"a": b"1"})
    assert repository.list_referrers(digest) == ()
    made = [
        attach_referrer(
            repository, digest, artifact_type="a/b", content=content, media_type="text/plain"
        )
        for content in (b"one", b"two", b"one")
    ]
    listed = repository.list_referrers(digest)
    assert [one.digest for one in listed] == made[:2]
    assert {one.artifact_type for one in listed} == {"a/b"}


def test_a_refused_mount_opens_an_upload_that_takes_the_blob(
    repository: RegistryRepository,
    running_registry: RunningRegistry,
    open_repository: OpenRepository,
) -> None:
    empty = open_repository(running_registry)
    answer = repository.mount_blob(BLOB_DIGEST, empty)
    assert not answer.is_mounted
    repository.write_blob(BLOB_DIGEST, len(BLOB), [BLOB], upload=answer.upload)
    assert repository.has_blob(BLOB_DIGEST, len(BLOB))


def test_a_registry_that_is_not_there_is_unreachable_and_worth_another_try() -> None:
    with (
        OciRegistry(f"http://127.0.0.1:{find_free_port()}") as registry,
        pytest.raises(RepositoryUnreachableError, match="cannot be reached") as caught,
    ):
        registry.check_access()
    assert caught.value.retryable


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_registry_is_worth_another_try(status: int) -> None:
    with (
        open_answering(lambda asked: Answer(status)) as (repository, _),
        pytest.raises(RepositoryUnreachableError, match=f"answered {status}") as caught,
    ):
        repository.read_manifest("1.0")
    assert caught.value.retryable


def test_what_the_registry_says_is_told_without_control_characters() -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": "not\x1b[31m you"}]}).encode()
    with (
        open_answering(lambda asked: Answer(403, body=body)) as (repository, _),
        pytest.raises(RepositoryRefusedError, match=r"\(DENIED: not\[31m you\)") as caught,
    ):
        repository.read_manifest("1.0")
    assert not caught.value.retryable


def test_a_blob_that_ends_early_is_worth_another_try() -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(headers={"Content-Length": "100", "Connection": "close"}, body=b"short")

    with (
        open_answering(answer) as (repository, _),
        pytest.raises(RepositoryUnreachableError, match="broke off"),
    ):
        list(repository.open_blob(BLOB_DIGEST))


def test_a_manifest_larger_than_the_limit_is_not_read_to_its_end() -> None:
    body = b" " * (LARGEST_MANIFEST + 1)
    with (
        open_answering(lambda asked: Answer(body=body)) as (repository, _),
        pytest.raises(UnsupportedManifestError, match="more than 4194304 bytes"),
    ):
        repository.read_manifest("1.0")


def test_a_manifest_of_schema_1_is_refused() -> None:
    body = b'{"schemaVersion": 1, "fsLayers": []}'
    with (
        open_answering(lambda asked: Answer(body=body)) as (repository, _),
        pytest.raises(UnsupportedManifestError, match="old schema 1"),
    ):
        repository.read_manifest("1.0")


def test_a_registry_that_names_another_digest_than_it_sends_is_not_believed() -> None:
    body = b'{"schemaVersion": 2, "manifests": []}'
    headers = {"Docker-Content-Digest": "sha256:" + "0" * 64}
    with (
        open_answering(lambda asked: Answer(headers=headers, body=body)) as (repository, _),
        pytest.raises(DigestMismatchError, match="hashes to"),
    ):
        repository.read_manifest("1.0")


def test_a_redirect_to_another_host_does_not_carry_the_credentials() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/elsewhere"):
            return Answer(body=BLOB)
        if "authorization" not in asked.headers:
            return Answer(401, {"WWW-Authenticate": 'Basic realm="test"'})
        return Answer(307, {"Location": f"{servers[0].other_host_url}/elsewhere?signed=yes"})

    servers: list[RecordingServer] = []
    with open_answering(answer, USER) as (repository, server):
        servers.append(server)
        assert b"".join(repository.open_blob(BLOB_DIGEST)) == BLOB
    last = server.asked[-1]
    assert last.path == "/elsewhere?signed=yes"
    assert "authorization" not in last.headers
    assert "authorization" in server.asked[-2].headers


def test_a_challenge_of_another_host_gets_no_credentials() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/elsewhere":
            return Answer(401, {"WWW-Authenticate": 'Basic realm="mine"'})
        return Answer(302, {"Location": f"{servers[0].other_host_url}/elsewhere"})

    servers: list[RecordingServer] = []
    with open_answering(answer, USER) as (repository, server):
        servers.append(server)
        with pytest.raises(RepositoryRefusedError):
            list(repository.open_blob(BLOB_DIGEST))
    assert all("authorization" not in asked.headers for asked in server.asked)


def test_redirects_without_end_are_given_up() -> None:
    with (
        open_answering(lambda asked: Answer(302, {"Location": asked.path})) as (repository, server),
        pytest.raises(RepositoryRefusedError, match="redirects more than"),
    ):
        list(repository.open_blob(BLOB_DIGEST))
    assert len(server.asked) == 6


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "ftp://host/x"])
def test_a_redirect_to_something_unsafe_is_not_followed(location: str) -> None:
    with (
        open_answering(lambda asked: Answer(302, {"Location": location})) as (repository, _),
        pytest.raises(RepositoryRefusedError, match="not safe to follow"),
    ):
        list(repository.open_blob(BLOB_DIGEST))


def test_a_redirect_never_leaves_https() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://registry.test/blob"})

    with make_client(httpx.MockTransport(answer)) as client:
        repository = OciRegistry("https://registry.test", client=client).open_repository("a")
        with pytest.raises(RepositoryRefusedError, match="not safe to follow"):
            list(repository.open_blob(BLOB_DIGEST))


def test_a_token_is_never_fetched_over_http_for_a_registry_on_https() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(
            401, headers={"WWW-Authenticate": 'Bearer realm="http://token.test/",service="x"'}
        )

    with make_client(httpx.MockTransport(answer)) as client:
        registry = OciRegistry("https://registry.test", USER, client=client)
        with pytest.raises(RepositoryRefusedError, match="credentials would not be safe"):
            registry.check_access()
    assert asked == ["https://registry.test/v2/"]


def test_the_guard_of_a_given_client_sees_every_address_called() -> None:
    called = []

    class Guard(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            called.append(request.url.host)
            if request.url.host == "inside.test":
                raise RepositoryRefusedError("inside.test may not be called.")
            return httpx.Response(302, headers={"Location": "https://inside.test/secret"})

    with make_client(Guard()) as client:
        repository = OciRegistry("https://registry.test", client=client).open_repository("a")
        with pytest.raises(RepositoryRefusedError, match="may not be called"):
            list(repository.open_blob(BLOB_DIGEST))
    assert called == ["registry.test", "inside.test"]


def test_referrers_of_the_registrys_own_list_are_read_page_by_page() -> None:
    def describe(letter: str) -> dict[str, object]:
        return {"mediaType": OCI_MANIFEST, "digest": "sha256:" + letter * 64, "size": 3}

    def answer(asked: Asked) -> Answer:
        if "/manifests/" in asked.path:
            return Answer(404)
        is_last = asked.path.endswith("page=2")
        page = {"schemaVersion": 2, "manifests": [describe("b" if is_last else "a")]}
        headers = {"Content-Type": OCI_INDEX}
        if not is_last:
            headers["Link"] = f'<{asked.path}?page=2>; rel="next"'
        return Answer(headers=headers, body=json.dumps(page).encode())

    with open_answering(answer) as (repository, _):
        listed = repository.list_referrers(BLOB_DIGEST)
    assert [one.digest[-1] for one in listed] == ["a", "b"]


def test_a_failing_list_of_referrers_is_not_taken_for_an_empty_one() -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(503 if "/referrers/" in asked.path else 404)

    with (
        open_answering(answer) as (repository, _),
        pytest.raises(RepositoryUnreachableError, match="referrers"),
    ):
        repository.list_referrers(BLOB_DIGEST)


@pytest.mark.needs_registry
def test_a_registry_with_passwords_lets_the_right_one_in_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    settings = {"htpasswd": {"realm": "test", "path": str(tmp_path / "htpasswd")}}
    with run_registry(tmp_path / "registry", auth=settings) as running:
        with OciRegistry(running.base_url, USER) as registry:
            digest = build_image(registry.open_repository("a"), files={"a": b"1"}, tag="1")
            assert verify_image(registry.open_repository("a"), digest).is_intact
        for wrong in (None, RegistryCredentials("tester", "wrong")):
            with (
                OciRegistry(running.base_url, wrong) as registry,
                pytest.raises(RepositoryRefusedError, match="Check the credentials"),
            ):
                registry.open_repository("a").read_manifest("1")


@pytest.mark.needs_registry
def test_a_registry_with_tokens_is_written_copied_and_mounted_with_one_token_a_scope(
    tmp_path: Path,
) -> None:
    with (
        run_token_service(tmp_path, username=USER.username, password=USER.password) as tokens,
        run_registry(tmp_path / "registry", auth=tokens.registry_settings) as running,
        OciRegistry(running.base_url, USER) as registry,
    ):
        source, target = (registry.open_repository(name) for name in ("team/a", "team/b"))
        layout = OciLayout(tmp_path / "layout")
        digest = build_image(layout, files={"a": b"1"}, platforms=("linux/amd64", "linux/arm64"))
        copied = copy_image(layout, source, digest, tags=["1"])
        mounted = copy_image(source, target, digest, tags=["1"])
        assert (copied.blobs_copied, mounted.blobs_mounted) == (3, 3)
        assert target.resolve("1") == digest
        scopes = [asked.path for asked in tokens.server.asked]
        assert len(scopes) == len(set(scopes))
        assert any("team%2Fa%3Apull&" in scope and "team%2Fb" in scope for scope in scopes)


@pytest.mark.needs_registry
def test_a_token_service_that_says_no_is_a_refusal(tmp_path: Path) -> None:
    with (
        run_token_service(tmp_path, username=USER.username, password=USER.password) as tokens,
        run_registry(tmp_path / "registry", auth=tokens.registry_settings) as running,
        OciRegistry(running.base_url, RegistryCredentials("tester", "wrong")) as registry,
        pytest.raises(RepositoryRefusedError, match="Could not ask for a token"),
    ):
        registry.open_repository("a").read_manifest("1")


def test_credentials_do_not_show_their_password() -> None:
    assert "correct horse" not in repr(USER)


@pytest.mark.parametrize("address", ["", "registry", "ftp://host", "https://user:word@host"])
def test_an_address_that_is_no_registrys_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="not the address of a registry"):
        OciRegistry(address)


def test_a_blob_kept_at_another_host_is_found_with_its_size() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/elsewhere":
            return Answer(headers={"Content-Length": "18"})
        return Answer(307, {"Location": "/elsewhere"})

    with open_answering(answer) as (repository, _):
        assert repository.has_blob(BLOB_DIGEST, 18)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"token": 7}', b'{"token": "a\\nb"}'])
def test_an_answer_without_a_usable_token_is_a_refusal(body: bytes) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            return Answer(body=body)
        host = asked.headers["host"]
        return Answer(401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token"'})

    with (
        open_answering(answer) as (repository, _),
        pytest.raises(RepositoryRefusedError, match="without a token"),
    ):
        repository.read_manifest("1.0")


def test_a_refused_token_is_asked_for_once_more_and_then_it_is_a_refusal() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/token"):
            return Answer(body=b'{"access_token": "stale", "expires_in": 3600}')
        host = asked.headers["host"]
        return Answer(401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token"'})

    with open_answering(answer, USER) as (repository, server):
        for _ in range(2):
            with pytest.raises(RepositoryRefusedError, match="answered 401"):
                repository.read_manifest("1.0")
    used = [asked.headers.get("authorization", "") for asked in server.asked]
    assert used[2] == "Bearer stale"
    assert len(used) < 10


def test_a_token_that_ends_during_an_upload_is_worth_another_try() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "POST":
            return Answer(202, {"Location": "/upload"})
        return Answer(401, {"WWW-Authenticate": 'Basic realm="test"'})

    with (
        open_answering(answer, USER) as (repository, _),
        pytest.raises(RepositoryUnreachableError, match="middle of an upload"),
    ):
        repository.write_blob(BLOB_DIGEST, len(BLOB), [BLOB])


def test_a_tag_that_should_list_referrers_but_names_an_image_is_an_error(
    repository: RegistryRepository,
) -> None:
    digest = build_image(repository, files={"a": b"1"})
    image = parse_manifest(repository.read_manifest(digest).raw).children[0].digest
    repository.tag(image, name_fallback_tag(digest))
    with pytest.raises(UnsupportedManifestError, match="should list referrers"):
        repository.list_referrers(digest)
    with pytest.raises(UnsupportedManifestError, match="should list referrers"):
        attach_referrer(
            repository, digest, artifact_type="a/b", content=b"x", media_type="text/plain"
        )


def test_an_answer_that_is_no_list_of_tags_is_an_error() -> None:
    with (
        open_answering(lambda asked: Answer(body=b"<html>")) as (repository, _),
        pytest.raises(UnsupportedManifestError, match="without a list of tags"),
    ):
        repository.list_tags()
