"""Callers of the API, and a lane to call it about."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from rest_framework.test import APIClient

from promotion.models import Role
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
    make_token,
)


@pytest.fixture(autouse=True)
def at_now():
    """All of it happens at NOW."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def call_as():
    """A client with a token of the scopes, for a person or for nobody."""

    def make(*scopes, user=None, **fields):
        _, text = make_token(*scopes, user=user, **fields)
        return APIClient(HTTP_AUTHORIZATION=f"Bearer {text}")

    return make


@pytest.fixture
def reader(call_as):
    """Reads, and does nothing else."""
    return call_as("read")


@pytest.fixture
def lane():
    """A release that is good in staging and may go to production when somebody approves."""
    service = make_service()
    make_pipeline(service)
    places = make_environments()
    release = make_release(service)
    make_deployment(release, places["dev"], at=NOW - timedelta(hours=2))
    make_deployment(release, places["staging"], at=NOW - timedelta(hours=1))
    return SimpleNamespace(
        service=service,
        release=release,
        digest=release.digests[0],
        asker=make_person("tomasz", Role.MEMBER),
        manager=make_release_manager("ines"),
        **places,
    )


@pytest.fixture
def asked(lane, call_as):
    """The answer to the asker's request for production."""
    client = call_as("read", "promote", user=lane.asker)
    body = {"service": "shipment-api", "release": "4.18.0", "environment": "production"}
    return client.post("/api/v1/promotions", body, format="json").json()
