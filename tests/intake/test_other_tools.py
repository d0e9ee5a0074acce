"""A promotion that another tool made is recorded as such, and counts: from the delivery to measure 1."""

import json
from datetime import timedelta

import pytest

from metrics.facts import load_record
from metrics.measures.periods import Period
from metrics.measures.registry import compute_all
from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.models import ArtifactTag, Promotion
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from tests.factories import (
    NOW,
    digest_of,
    make_environments,
    make_pipeline,
    make_sender,
    make_service,
)

pytestmark = pytest.mark.django_db
DIGEST = digest_of("shipment-api 4.18.0")
LATER = NOW + timedelta(days=30)


@pytest.fixture(autouse=True)
def _catalog():
    make_environments()
    make_pipeline(make_service("shipment-api"), at=NOW - timedelta(days=30))


def tell(sender, payload, at):
    delivery = Delivery(body=json.dumps(payload).encode(), content_type="application/json")
    received = receive(SOURCES[sender.kind], delivery, sender=sender, token=None, at=at)
    process_event(received.event.pk, at=at)


def deploy(sender, environment, at, **fact):
    tell(
        sender,
        {
            "kind": "deployment",
            "service": "shipment-api",
            "environment": environment,
            "digest": DIGEST,
            "result": "succeeded",
            "external_id": environment,
            "started_at": (at - timedelta(minutes=5)).isoformat(),
            "finished_at": at.isoformat(),
            "mechanism": "automated",
            **fact,
        },
        at,
    )


def automated_share():
    period = Period(NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=7))
    return compute_all(load_record(LATER), period, as_of=LATER)["automated_share"]


def test_a_pipeline_that_deploys_the_same_digest_on_is_an_automated_promotion_by_another_tool():
    sender = make_sender("pipelines", "generic")
    for hours, environment in enumerate(("dev", "staging", "production")):
        deploy(sender, environment, NOW + timedelta(hours=hours))
    assert not Promotion.objects.exists()
    share = automated_share()
    assert (share.automated, share.automated_by_others, share.automated_by_us) == (1, 1, 0)
    assert (share.numerator, share.denominator) == (1, 1)


def test_a_pipeline_that_skips_an_environment_is_no_automated_promotion():
    sender = make_sender("pipelines", "generic")
    for hours, environment in enumerate(("dev", "production")):
        deploy(sender, environment, NOW + timedelta(hours=hours))
    share = automated_share()
    assert (share.automated, share.out_of_band) == (0, 1)


def test_a_platform_deployed_on_by_a_pipeline_counts_as_the_index_that_was_upstream():
    sender = make_sender("pipelines", "generic")
    registry = make_sender("registry", "registry")
    platform = digest_of("linux/amd64")
    deploy(sender, "dev", NOW)
    deploy(sender, "staging", NOW + timedelta(hours=1))
    deploy(sender, "production", NOW + timedelta(hours=2), digest=platform)
    index = "application/vnd.oci.image.index.v1+json"
    manifest = "application/vnd.oci.image.manifest.v1+json"
    target = {
        "mediaType": index,
        "repository": "meridian/shipment-api",
        "tag": "v4.18.0",
        "digest": DIGEST,
        "references": [{"mediaType": manifest, "digest": platform}],
    }
    push = {"id": "1", "action": "push", "timestamp": NOW.isoformat(), "target": target}
    tell(registry, {"events": [push]}, NOW + timedelta(hours=3))
    assert automated_share().automated_by_others == 1


def test_artifactorys_promotion_is_kept_as_a_place_with_its_time_and_needs_no_promotion_of_ours():
    artifactory = make_sender("artifactory", "artifactory")
    for hours, (event, place) in enumerate((("pushed", "docker-dev"), ("promoted", "docker-prod"))):
        data = {
            "repo_key": place,
            "image_name": "shipment-api",
            "tag": "v4.18.0",
            "sha256": DIGEST.removeprefix("sha256:"),
        }
        payload = {"domain": "docker", "event_type": event, "data": data}
        tell(artifactory, payload, NOW + timedelta(hours=hours))
    places = ArtifactTag.objects.order_by("seen_at").values_list("repository", "seen_at")
    assert list(places) == [
        ("docker-dev/shipment-api", NOW),
        ("docker-prod/shipment-api", NOW + timedelta(hours=1)),
    ]
    assert not Promotion.objects.exists()
