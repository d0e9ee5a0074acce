"""From deliveries to builds, artifacts, releases and deployments, in whatever order they come."""

import itertools
from datetime import timedelta

import pytest

from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.models import Artifact, Build, Deployment, Event, Release
from promotion.sources.known import SOURCES
from tests.factories import NOW, commit_of, digest_of, make_environments, make_sender, make_service
from tests.parts import deliveries

pytestmark = pytest.mark.django_db

COMMIT = commit_of("shipment-api 4.18.0")
DIGEST = digest_of("shipment-api 4.18.0")


@pytest.fixture
def sender():
    make_service("shipment-api")
    make_environments()
    return make_sender()


def take_in(sender, delivery, at=NOW):
    received = receive(SOURCES[sender.kind], delivery, sender=sender, token=None, at=at)
    process_event(received.event.pk, at=at)
    received.event.refresh_from_db()
    return received


def story():
    """The deliveries of one build that goes to staging."""
    place = {"repository": "meridian/shipment-api", "commit": COMMIT}
    return [
        deliveries.workflow_run(**place, finished_at="2026-11-23T10:00:00Z"),
        deliveries.registry_package(
            repository="meridian/shipment-api",
            name="shipment-api",
            commit=COMMIT,
            digest=DIGEST,
            tag="v4.18.0",
            at="2026-11-23T10:00:30Z",
        ),
        deliveries.deployment_status(
            **place, environment="staging", state="in_progress", at="2026-11-23T11:00:00Z"
        ),
        deliveries.deployment_status(
            **place,
            environment="staging",
            state="success",
            at="2026-11-23T11:02:00Z",
            delivery_id="deploy-2",
        ),
    ]


def picture():
    """What is known, without our own keys and clock."""
    return {
        "builds": list(Build.objects.values_list("external_id", "result", "commit", "finished_at")),
        "links": list(
            Build.artifacts.through.objects.values_list("build__external_id", "artifact__digest")
        ),
        "artifacts": list(Artifact.objects.values_list("digest", "commit", "service__slug")),
        "releases": list(Release.objects.values_list("version", "commit", "artifacts__digest")),
        "deployments": list(
            Deployment.objects.values_list(
                "external_id",
                "result",
                "digest",
                "release__version",
                "started_at",
                "finished_at",
                "found",
            )
        ),
    }


def test_one_build_becomes_a_release_and_its_deployment_finds_the_digest(sender):
    for delivery in story():
        take_in(sender, delivery)
    release = Release.objects.get()
    assert (release.version, release.commit, release.digests) == ("4.18.0", COMMIT, (DIGEST,))
    assert list(release.artifacts.get().builds.values_list("external_id", flat=True)) == [
        "289782451"
    ]
    deployment = Deployment.objects.get()
    assert (deployment.digest, deployment.release, deployment.result) == (
        DIGEST,
        release,
        "succeeded",
    )
    assert deployment.found == Deployment.Found.RESOLVED
    assert deployment.found_how.startswith("Found by the commit")
    assert deployment.started_at.isoformat() == "2026-11-23T11:00:00+00:00"


def test_any_order_of_arrival_ends_in_the_same_picture(sender):
    whole = story()
    for delivery in whole:
        take_in(sender, delivery)
    expected = picture()
    for order in itertools.permutations(range(4)):
        for model in (
            Deployment.reports.rel.related_model,
            Deployment,
            Release,
            Build,
            Artifact,
            Event,
        ):
            model.objects.all().delete()
        for place in order:
            take_in(sender, whole[place])
        assert picture() == expected, order


def test_the_same_delivery_again_changes_nothing(sender):
    first, again = (take_in(sender, story()[1]) for _ in range(2))
    assert first.is_new
    assert not again.is_new
    assert Event.objects.count() == 1
    assert Artifact.objects.count() == 1


def test_an_event_of_an_unknown_repository_is_kept_and_says_so(sender):
    delivery = deliveries.deployment_status(
        repository="acme/shop",
        commit=COMMIT,
        environment="staging",
        state="success",
        at="2026-11-23T11:00:00Z",
    )
    event = take_in(sender, delivery).event
    assert event.state == Event.State.UNMAPPED
    assert event.summary == "It speaks of acme/shop, which is no service of the catalog."
    assert not Deployment.objects.exists()


def test_unreadable_bytes_are_kept_and_said_to_be_unreadable(sender):
    event = take_in(
        sender, deliveries.Delivery(body=b"{not json", headers={"X-GitHub-Event": "push"})
    ).event
    assert event.state == Event.State.UNREADABLE
    assert bytes(event.body) == b"{not json"


def test_two_digests_of_one_version_are_two_releases(sender):
    for number, digest in enumerate((DIGEST, digest_of("rebuilt"))):
        take_in(
            sender,
            deliveries.registry_package(
                repository="meridian/shipment-api",
                name="shipment-api",
                commit=COMMIT,
                digest=digest,
                tag="v4.18.0",
                at="2026-11-23T10:00:30Z",
                delivery_id=f"package-{number}",
            ),
        )
    assert Release.objects.filter(version="4.18.0").count() == 2


def test_a_deployment_by_a_commit_with_two_digests_is_no_answer_and_shows_both(sender):
    test_two_digests_of_one_version_are_two_releases(sender)
    take_in(sender, story()[3])
    deployment = Deployment.objects.get()
    assert deployment.digest == ""
    assert len(deployment.candidates) == 2


def test_a_later_state_stands_even_when_it_is_told_first(sender):
    whole = story()
    take_in(sender, whole[3])
    take_in(sender, whole[2], at=NOW + timedelta(minutes=5))
    assert Deployment.objects.get().result == "succeeded"


def test_a_failed_run_of_the_same_commit_does_not_hide_the_one_that_built_it(sender):
    for delivery in story()[:2]:
        take_in(sender, delivery)
    payload = deliveries.load("workflow_run.completed.json")
    payload["workflow_run"] |= {"id": 7, "head_sha": COMMIT, "conclusion": "failure"}
    payload["repository"] |= {"full_name": "meridian/shipment-api"}
    take_in(sender, deliveries.deliver("workflow_run", payload, "run-failed"))
    assert Build.objects.count() == 2
    assert [build.external_id for build in Artifact.objects.get().builds.all()] == ["289782451"]


def test_secrets_in_headers_are_not_kept(sender):
    delivery = deliveries.Delivery(
        body=b"{}", headers={"Authorization": "Bearer tl_secret", "X-GitHub-Event": "ping"}
    )
    event = take_in(sender, delivery).event
    assert "tl_secret" not in str(event.headers)
