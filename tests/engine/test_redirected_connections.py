"""A connection that leads elsewhere than when it was approved: approvals go stale, what runs ends."""

from datetime import timedelta

import pytest
from django.test import Client

from promotion.actions.advance import advance
from promotion.actions.approve import Choice, decide
from promotion.actions.execute import execute
from promotion.actions.promote import Request, ask_for_promotion
from promotion.models import Approval, Connection, Promotion, Role
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_connection,
    make_environments,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
)
from tests.parts.recording_server import Answer, run_recording_server

pytestmark = pytest.mark.django_db

PIPELINE = """
service: shipment-api
repositories: {staging: "registry/staging"}
stages:
  - name: dev
    environment: dev
    approvals: [{name: managers, count: 2}]
    steps:
      - pause: {for: 1m}
      - http: {connection: deployer, path: go}
"""


@pytest.fixture
def promotion() -> Promotion:
    service = make_service()
    make_pipeline(service, PIPELINE)
    make_connection("deployer", "http", "https://deploy.example.com", secret="s")
    wish = Request(
        make_release(service),
        make_environments()["dev"],
        person=make_person("tomasz", Role.MEMBER),
    )
    return ask_for_promotion(wish, at=NOW).promotion


def look(promotion: Promotion, at=NOW) -> None:
    while (found := advance(promotion.pk, at=at).step_run) and execute(found, now=lambda: at):
        pass
    promotion.refresh_from_db()


def approve(promotion: Promotion, *names: str) -> None:
    for name in names:
        choice = Choice(Approval.Decision.APPROVE, promotion.content_hash, "")
        decide(promotion.pk, choice, person=make_release_manager(name), at=NOW)


def test_approvals_of_a_waiting_promotion_go_stale_and_the_page_names_the_field(
    promotion: Promotion,
) -> None:
    approve(promotion, "ines")
    before = promotion.content_hash
    Connection.objects.update(address="https://elsewhere.example.com")
    look(promotion)
    assert promotion.content_hash != before
    approve(promotion, "priya")
    look(promotion)
    assert promotion.state == State.WAITING
    client = Client()
    client.force_login(make_release_manager("ines"))
    page = client.get(f"/promotions/{promotion.pk}/").content.decode()
    assert "approval no longer counts" in page
    approve(promotion, "ines")
    look(promotion)
    assert promotion.state == State.RUNNING


def test_a_running_promotion_calls_nobody_at_the_new_address(
    promotion: Promotion, settings
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    approve(promotion, "ines", "priya")
    look(promotion)
    with run_recording_server(lambda _: Answer(200)) as server:
        Connection.objects.update(address=server.base_url)
        look(promotion, NOW + timedelta(minutes=1))
        assert server.asked == []
    assert promotion.state == State.ERRORED
    assert "no longer what was approved" in promotion.reason


def test_a_new_secret_for_the_same_address_changes_nothing(promotion: Promotion) -> None:
    approve(promotion, "ines", "priya")
    made = Connection.objects.get()
    made.secret, made.username = "rotated", "robot"
    made.save()
    look(promotion)
    assert promotion.state == State.RUNNING
