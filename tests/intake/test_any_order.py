"""A longer story, told in any order and with repeats, always ends in the same picture."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.models import (
    Artifact,
    Build,
    Deployment,
    Evidence,
    Incident,
    Observation,
    Release,
)
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from tests.factories import NOW, commit_of, digest_of, make_environments, make_sender, make_service

pytestmark = pytest.mark.django_db
FIRST, SECOND = commit_of("shipment-api 1"), commit_of("shipment-api 2")
BUILT, REBUILT, NEXT = digest_of("1"), digest_of("1 again"), digest_of("2")
PLACE = {"repository": "meridian/shipment-api"}
IMAGE = PLACE | {"kind": "artifact", "name": "meridian/shipment-api"}
RUN = PLACE | {"kind": "build", "name": "image"}
DEPLOYMENT = {"kind": "deployment", "service": "shipment-api"}
INCIDENT = {"kind": "incident", "service": "shipment-api", "environment": "production"}


def at(minute):
    return f"2026-11-23T10:{minute:02}:00Z"


STORY = [
    RUN | {"external_id": "1", "commit": FIRST, "result": "started", "started_at": at(0)},
    RUN | {"external_id": "1", "commit": FIRST, "result": "succeeded", "finished_at": at(2)},
    IMAGE | {"digest": BUILT, "version": "v1.0.0", "commit": FIRST, "occurred_at": at(2)},
    IMAGE | {"digest": REBUILT, "version": "v1.0.0", "commit": FIRST, "occurred_at": at(9)},
    RUN | {"external_id": "2", "commit": SECOND, "result": "succeeded", "finished_at": at(5)},
    IMAGE | {"digest": NEXT, "version": "v1.1.0", "commit": SECOND, "occurred_at": at(5)},
    DEPLOYMENT
    | {"environment": "staging", "external_id": "d-1", "commit": SECOND, "result": "started"}
    | {"occurred_at": at(6)},
    DEPLOYMENT
    | {"environment": "staging", "external_id": "d-1", "commit": SECOND, "result": "succeeded"}
    | {"finished_at": at(7)},
    DEPLOYMENT
    | {"environment": "production", "external_id": "d-2", "version": "1.1.0"}
    | {"result": "succeeded", "started_at": at(10), "finished_at": at(11)},
    {"kind": "observation", "service": "shipment-api", "environment": "production"}
    | {"digest": NEXT, "occurred_at": at(12)},
    INCIDENT
    | {"external_id": "i-1", "result": "opened", "occurred_at": at(13), "severity": "high"},
    INCIDENT | {"external_id": "i-1", "result": "resolved", "occurred_at": at(20)},
    {"kind": "evidence", "name": "scan", "digest": NEXT, "result": "passed"}
    | {"external_id": "s-1", "occurred_at": at(6)},
    {
        "kind": "evidence",
        "digest": REBUILT,
        "content": {"bomFormat": "CycloneDX", "components": []},
    },
]


def told(fact):
    return Delivery(body=json.dumps(fact).encode(), content_type="application/json")


def take_in(sender, order):
    for place, number in enumerate(order):
        moment = NOW + timedelta(seconds=place)
        received = receive(
            SOURCES["generic"], told(STORY[number]), sender=sender, token=None, at=moment
        )
        process_event(received.event.pk, at=moment)


def rows(model, *names):
    return sorted(map(str, model.objects.values_list(*names)))


def picture():
    """What is known, without our own keys and clock."""
    return {
        "builds": rows(Build, "external_id", "result", "commit", "started_at", "finished_at"),
        "links": rows(Build.artifacts.through, "build__external_id", "artifact__digest"),
        "artifacts": rows(Artifact, "digest", "commit", "service__slug", "first_seen_at"),
        "releases": rows(Release, "version", "commit", "artifacts__digest"),
        "deployments": rows(
            Deployment,
            "external_id",
            "environment__slug",
            "result",
            "digest",
            "release__version",
            "started_at",
            "finished_at",
            "found",
        ),
        "observations": rows(
            Observation, "environment__slug", "digest", "artifact__digest", "seen_at"
        ),
        "incidents": rows(
            Incident, "external_id", "service__slug", "opened_at", "resolved_at", "severity"
        ),
        "evidence": rows(Evidence, "digest", "type", "result", "artifact__digest"),
    }


@pytest.fixture
def sender():
    make_service("shipment-api")
    make_environments()
    return make_sender("own", "generic")


def seen(sender, order):
    """The picture after that order of arrival, of which nothing stays."""
    with transaction.atomic():
        take_in(sender, order)
        found = picture()
        transaction.set_rollback(True)
    return found


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an order is not made shorter
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    order=st.permutations(range(len(STORY))),
    again=st.lists(st.integers(0, len(STORY) - 1), max_size=3),
)
def test_any_order_with_repeats_ends_in_the_same_picture(sender, order, again):
    expected = seen(sender, range(len(STORY)))
    assert seen(sender, [*order, *again]) == expected


def test_the_story_told_in_its_order_is_what_it_says(sender):
    found = seen(sender, range(len(STORY)))
    assert {name: len(found[name]) for name in found} == {
        "builds": 2,
        "links": 3,
        "artifacts": 3,
        "releases": 3,
        "deployments": 2,
        "observations": 1,
        "incidents": 1,
        "evidence": 2,
    }
    assert all(NEXT in row and "1.1.0" in row for row in found["deployments"])
