"""One digest is one artifact, however it is told: by tag, by platform, by short commit, by another tool."""

import json
from datetime import timedelta

import pytest

from promotion.actions.ingest.platforms import register_platforms
from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.actions.resolve_references import (
    MOST_ATTEMPTS,
    due_references,
    resolve_reference,
)
from promotion.integrity.oci.building import build_image
from promotion.integrity.oci.layout import OciLayoutStore
from promotion.models import (
    Artifact,
    ArtifactTag,
    Deployment,
    Observation,
    Release,
    UnresolvedReference,
)
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from tests.factories import (
    NOW,
    commit_of,
    digest_of,
    make_build,
    make_connection,
    make_environments,
    make_person,
    make_sender,
    make_service,
)

pytestmark = pytest.mark.django_db
NAME = "meridian/shipment-api"
LIST = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def sender():
    make_service("shipment-api")
    make_environments()
    return make_sender(kind="generic", slug="generic")


@pytest.fixture
def registry(tmp_path):
    """A directory of images that a connection leads to."""
    make_connection("registry", kind="oci-layout", address=str(tmp_path))
    return OciLayoutStore(tmp_path).open_repository(NAME)


def tell(sender, at=NOW, **fact):
    body = json.dumps(fact).encode()
    delivery = Delivery(body=body, content_type="application/json")
    received = receive(SOURCES[sender.kind], delivery, sender=sender, token=None, at=at)
    process_event(received.event.pk, at=at)
    received.event.refresh_from_db()
    return received.event


def ask(at=NOW):
    return [resolve_reference(number, at=at) for number in due_references(at=at)]


def test_a_tag_without_a_digest_is_kept_and_resolved_from_the_registry(sender, registry):
    digest = build_image(registry, files={"app": b"1"}, tag="v4.18.0")
    event = tell(sender, kind="artifact", name=NAME, version="v4.18.0", commit=commit_of("1"))
    assert "kept unresolved" in event.outcome[0]["note"]
    assert not Artifact.objects.exists()
    ask()
    release = Release.objects.get()
    assert (release.version, release.digests, release.commit) == (
        "4.18.0",
        (digest,),
        commit_of("1"),
    )
    assert ArtifactTag.objects.get().is_from_registry
    reference = UnresolvedReference.objects.get()
    assert (reference.artifact.digest, reference.resolved_at, reference.next_ask_at) == (
        digest,
        NOW,
        None,
    )
    assert ask(NOW + timedelta(days=1)) == []


def test_without_a_registry_a_tag_stays_unresolved_and_costs_no_attempt(sender):
    tell(sender, kind="artifact", name=NAME, version="v4.18.0")
    assert ask(NOW + timedelta(days=9)) == []
    assert UnresolvedReference.objects.get().attempts == 0


def test_a_tag_no_registry_has_is_asked_for_less_and_less_often_and_then_no_more(sender, registry):
    tell(sender, kind="artifact", name=NAME, version="v4.18.0")
    at, pauses = NOW, []
    while due_references(at=at):
        ask(at)
        reference = UnresolvedReference.objects.get()
        if reference.next_ask_at is None:
            break
        pauses.append(reference.next_ask_at - at)
        at = reference.next_ask_at
    assert reference.attempts == MOST_ATTEMPTS
    assert pauses == sorted(pauses)
    assert reference.note == f"No registry we know has {NAME}:v4.18.0."


def test_what_two_registries_say_differently_is_no_answer(sender, registry, tmp_path_factory):
    build_image(registry, files={"app": b"1"}, tag="v1.0.0")
    other = tmp_path_factory.mktemp("other")
    make_connection("other", kind="oci-layout", address=str(other))
    build_image(OciLayoutStore(other).open_repository(NAME), files={"app": b"2"}, tag="v1.0.0")
    tell(sender, kind="artifact", name=NAME, version="v1.0.0")
    ask()
    assert not Artifact.objects.exists()
    assert "disagree" in UnresolvedReference.objects.get().note


def test_a_tag_that_was_moved_since_is_not_resolved_to_what_it_is_now(sender, registry):
    digest = build_image(registry, files={"app": b"2"}, tag="v1.0.0")
    tell(sender, kind="artifact", name=NAME, version="v1.0.0", occurred_at="2026-11-23T10:00:00Z")
    other = make_sender("later", "generic")
    tell(
        other,
        kind="artifact",
        name=NAME,
        version="v1.0.0",
        digest=digest_of("told"),
        occurred_at="2026-11-23T11:00:00Z",
    )
    assert (
        UnresolvedReference.objects.get(reference="v1.0.0").note
        == "A sender said the digest later."
    )
    ask()
    assert not Artifact.objects.filter(digest=digest).exists()


def test_a_deployment_that_names_only_a_tag_is_joined_when_the_registry_has_told(sender, registry):
    digest = build_image(registry, files={"app": b"1"}, tag="v4.18.0")
    known = digest_of("an older one")
    tell(sender, kind="artifact", name=NAME, version="v4.17.0", digest=known)
    tell(
        sender,
        kind="deployment",
        service="shipment-api",
        environment="staging",
        version="v4.18.0",
        result="succeeded",
        finished_at="2026-11-23T11:00:00Z",
    )
    assert Deployment.objects.get().digest == ""
    ask()
    deployment = Deployment.objects.get()
    assert (deployment.digest, deployment.release.version) == (digest, "4.18.0")
    assert deployment.found_how == "Found by the version v4.18.0, which the registry was asked for."


def test_platforms_a_push_names_belong_to_its_index_without_asking_anybody():
    make_service("shipment-api")
    sender = make_sender(kind="registry", slug="registry")
    platforms = [digest_of("amd64"), digest_of("arm64")]
    references = [{"mediaType": MANIFEST, "size": 1, "digest": one} for one in platforms]
    target = {
        "mediaType": LIST,
        "repository": NAME,
        "tag": "v4.18.0",
        "digest": digest_of("index"),
        "references": [
            *references,
            {"mediaType": "application/octet-stream", "digest": digest_of("x")},
        ],
    }
    tell(
        sender,
        events=[
            {"id": "1", "action": "push", "timestamp": "2026-11-23T10:00:00Z", "target": target}
        ],
    )
    index = Artifact.objects.get(digest=digest_of("index"))
    assert {one.digest for one in index.platforms.all()} == set(platforms)
    assert Release.objects.get().digests == (index.digest,)


def test_platforms_of_an_index_are_read_from_the_registry_and_what_named_one_goes_by_the_index(
    sender, registry
):
    digest = build_image(
        registry, files={"app": b"1"}, platforms=["linux/amd64", "linux/arm64"], tag="v1.0.0"
    )
    children = json.loads(registry.read_manifest(digest).raw)["manifests"]
    lane = {"service": "shipment-api", "environment": "staging"}
    for number, child in enumerate(children):
        at = f"2026-11-23T11:0{number}:00Z"
        tell(
            sender,
            kind="deployment",
            **lane,
            digest=child["digest"],
            result="succeeded",
            finished_at=at,
        )
        tell(
            sender,
            kind="observation",
            **lane,
            digest=child["digest"],
            occurred_at="2026-11-23T12:00:00Z",
        )
    assert Observation.objects.count() == 2
    tell(sender, kind="artifact", name=NAME, version="v1.0.0", digest=digest)
    ask()
    assert set(Deployment.objects.values_list("digest", "release__version")) == {(digest, "1.0.0")}
    assert Observation.objects.get().digest == digest


def test_a_platform_of_two_indexes_stays_with_the_first(sender):
    tell(sender, kind="artifact", name=NAME, version="v1.0.0", digest=digest_of("one"))
    tell(sender, kind="artifact", name=NAME, version="v2.0.0", digest=digest_of("two"))
    first, second = (Artifact.objects.get(digest=digest_of(text)) for text in ("one", "two"))
    shared = [digest_of("shared")]
    assert register_platforms(first, shared) == 1
    assert register_platforms(second, shared) == 0
    assert Artifact.objects.get(digest=shared[0]).index == first


def deploy_by(sender, commit, **fact):
    tell(
        sender,
        kind="deployment",
        service="shipment-api",
        environment="staging",
        commit=commit,
        result="succeeded",
        finished_at="2026-11-23T11:00:00Z",
        **fact,
    )
    return Deployment.objects.get()


def test_a_short_commit_is_matched_where_it_is_short_for_one(sender):
    tell(
        sender, kind="artifact", name=NAME, version="v1.0.0", digest=digest_of("1"), commit="a" * 40
    )
    assert deploy_by(sender, "aaaaaaa", repository=NAME).digest == digest_of("1")


def test_a_commit_short_for_two_of_the_repository_is_no_answer_and_shows_the_candidate(sender):
    tell(
        sender, kind="artifact", name=NAME, version="v1.0.0", digest=digest_of("1"), commit="a" * 40
    )
    make_build(make_service("shipment-api"), commit="a" * 39 + "b")
    deployment = deploy_by(sender, "aaaaaaa")
    assert (deployment.digest, deployment.candidates) == ("", [digest_of("1")])
    assert "short for several commits" in deployment.found_how


def test_a_short_commit_of_another_repository_is_not_matched(sender):
    tell(
        sender, kind="artifact", name=NAME, version="v1.0.0", digest=digest_of("1"), commit="a" * 40
    )
    assert deploy_by(sender, "aaaaaaa", repository="meridian/gitops").digest == ""


def test_two_digests_of_one_version_are_a_build_once_violation(sender):
    for text in ("one", "two"):
        tell(sender, kind="artifact", name=NAME, version="v1.0.0", digest=digest_of(text))
    tell(sender, kind="artifact", name=NAME, version="v2.0.0", digest=digest_of("three"))
    assert set(Release.objects.build_once_violations().values_list("version", flat=True)) == {
        "1.0.0"
    }


def test_a_tag_that_moved_is_kept_at_both_digests_with_their_times(sender):
    for hour, text in ((10, "one"), (11, "two")):
        at = f"2026-11-23T{hour}:00:00Z"
        tell(
            sender,
            kind="artifact",
            name=NAME,
            version="v1.0.0",
            digest=digest_of(text),
            occurred_at=at,
        )
    moved = ArtifactTag.objects.order_by("seen_at").values_list("artifact__digest", "seen_at__hour")
    assert list(moved) == [(digest_of("one"), 10), (digest_of("two"), 11)]


def test_an_image_promoted_by_artifactory_is_the_same_artifact_in_one_more_place():
    make_service("shipment-api")
    sender = make_sender(kind="artifactory", slug="artifactory")
    for number, (kind, place) in enumerate((("pushed", "docker-dev"), ("promoted", "docker-prod"))):
        data = {
            "repo_key": place,
            "image_name": "shipment-api",
            "tag": "v4.18.0",
            "sha256": digest_of("1").removeprefix("sha256:"),
        }
        tell(sender, NOW + timedelta(hours=number), domain="docker", event_type=kind, data=data)
    artifact = Artifact.objects.get()
    places = artifact.tags.order_by("seen_at").values_list("repository", "seen_at")
    assert list(places) == [
        ("docker-dev/shipment-api", NOW),
        ("docker-prod/shipment-api", NOW + timedelta(hours=1)),
    ]
    assert Release.objects.get().digests == (artifact.digest,)


def test_the_trace_tells_that_a_tag_moved_and_the_lists_that_a_version_was_built_again(
    sender, client
):
    test_a_tag_that_moved_is_kept_at_both_digests_with_their_times(sender)
    tell(sender, kind="artifact", name=NAME, version="v2.0.0", digest=digest_of("three"))
    client.force_login(make_person())
    trace = client.get(f"/api/v1/trace/{digest_of('one')}").json()
    (tag,) = trace["artifact"]["tags"]
    assert (tag["moved_to"], tag["moved_at"]) == (digest_of("two"), "2026-11-23T11:00:00Z")
    assert [one["was_built_again"] for one in trace["releases"]] == [True]
    found = client.get("/api/v1/releases", {"violations": "true"}).json()["results"]
    assert {one["version"] for one in found} == {"1.0.0"}
    page = client.get(f"/releases/shipment-api/1.0.0/?digest={digest_of('one')}").content.decode()
    assert "was moved" in page
    listed = client.get("/releases/", {"violations": "1"}).content.decode()
    assert "/releases/shipment-api/1.0.0/" in listed
    assert "/releases/shipment-api/2.0.0/" not in listed
