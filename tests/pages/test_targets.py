"""What a promotion's page shows of each target: wave, steps, what was deployed, what was verified."""

import re

import pytest
from django.test import Client

from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.models import Deployment, Promotion
from promotion.rules.states import State
from promotion.sources.known import SOURCES
from tests.factories import (
    NOW,
    make_deployment,
    make_environment,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_sender,
    make_service,
    make_step_run,
)
from tests.parts import deliveries

pytestmark = pytest.mark.django_db

PIPELINE = """
service: shipment-api
stages:
  - name: production
    environment: production
    rollout:
      strategy: canary
      waves: [{targets: [eu-1], pause: 30m}, {targets: [eu-2, us-1]}]
    steps:
      - wait-for-deployment
      - verify-metric: {connection: m, query: 'e{t="{target}"}', below: 1}
"""


@pytest.fixture
def promotion() -> Promotion:
    service = make_service()
    make_pipeline(service, PIPELINE)
    place = make_environment("production", targets=("eu-1", "eu-2", "us-1"))
    return make_promotion(make_release(service), place, state=State.RUNNING, started_at=NOW)


def rows(promotion: Promotion) -> dict[str, str]:
    """The text of each target's row."""
    client = Client()
    client.force_login(make_person("ines"))
    html = client.get(f"/promotions/{promotion.pk}/targets/").content.decode()
    found = re.findall(r'<tr role="row">\s*<th scope="row"[^>]*>(.*?)</tr>', html, re.DOTALL)
    plain = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]
    return {row.split()[0]: row for row in plain}


def verify_step(promotion: Promotion, *, wave: int, state: str, targets: dict[str, dict]) -> None:
    make_step_run(
        promotion,
        "verify-metric",
        {"per_target": [{"query": "e", "below": 1}]},
        wave=wave,
        state=state,
        targets=list(targets),
        output={"by_target": targets},
        finished_at=NOW,
    )


def test_each_target_has_its_wave_deployment_and_verification(promotion: Promotion) -> None:
    make_step_run(promotion, "wait-for-deployment", wave=0, state="succeeded", targets=["eu-1"])
    told = {"eu-1": {"good": 19, "count": 20, "last": "0.001"}}
    verify_step(promotion, wave=0, state="succeeded", targets=told)
    make_step_run(promotion, "pause", {"for": "30m"}, wave=0, state="running", targets=["eu-1"])
    both = ["eu-2", "us-1"]
    make_step_run(promotion, "wait-for-deployment", wave=1, state="failed", targets=both)
    make_step_run(promotion, "verify-metric", wave=1, targets=both)
    make_deployment(promotion.release, promotion.environment, target="eu-1", promotion=promotion)
    make_deployment(
        promotion.release,
        promotion.environment,
        target="us-1",
        promotion=promotion,
        result="failed",
    )
    shown = rows(promotion)
    assert list(shown) == ["eu-1", "eu-2", "us-1"]
    assert "1 of 2 done Succeeded" in shown["eu-1"]
    assert "19 of 20 good" in shown["eu-1"]
    assert "2 of 2 failed none reported not verified yet" in shown["eu-2"]
    assert "2 of 2 failed Failed" in shown["us-1"]


def test_before_the_start_the_plan_is_shown(promotion: Promotion) -> None:
    Promotion.objects.update(state=State.WAITING.value, started_at=None)
    promotion.refresh_from_db()
    shown = rows(promotion)
    assert "1 of 2 not begun none reported not verified yet" in shown["eu-1"]
    assert "2 of 2 not begun" in shown["us-1"]


def test_without_targets_nothing_is_shown(promotion: Promotion) -> None:
    make_step_run(promotion, "pause", {"for": "1m"})
    assert rows(promotion) == {}


def test_the_page_names_the_strategy_and_costs_the_same_for_more_targets(
    promotion: Promotion, django_assert_max_num_queries
) -> None:
    client = Client()
    client.force_login(make_person("ines"))
    address = f"/promotions/{promotion.pk}/targets/"
    for number in range(20):
        make_step_run(promotion, "wait-for-deployment", wave=0, targets=[f"eu-{number}"])
        make_deployment(
            promotion.release, promotion.environment, target=f"eu-{number}", promotion=promotion
        )
    with django_assert_max_num_queries(12):
        html = client.get(address).content.decode()
    assert "canary first" in html
    assert html.count('role="rowheader"') == 20


def test_a_deployment_of_a_promotion_records_how_its_stage_rolls_out(
    promotion: Promotion,
) -> None:
    sender = make_sender()
    delivery = deliveries.deployment_status(
        repository="meridian/shipment-api",
        commit=promotion.release.commit,
        environment="production",
        state="success",
        at="2026-11-23T14:25:00Z",
    )
    received = receive(SOURCES[sender.kind], delivery, sender=sender, token=None, at=NOW)
    process_event(received.event.pk, at=NOW)
    deployment = Deployment.objects.get()
    assert deployment.promotion == promotion
    assert deployment.strategy == "canary"
