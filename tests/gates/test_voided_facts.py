"""A fact that a person declared wrong opens no gate."""

from datetime import timedelta
from typing import Any

import pytest

from promotion.actions.advance import advance
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.void_fact import void_fact
from promotion.models import Build, Promotion
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
)

PIPELINE = """
service: shipment-api
stages:
  - {name: staging, environment: staging}
  - {name: production, environment: production, after: [staging], require_build: true}
"""


def state_after(promotion: Promotion, at: Any) -> State:
    advance(promotion.pk, at=at)
    promotion.refresh_from_db()
    return State(promotion.state)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["deployment", "build", None])
def test_a_voided_deployment_or_build_no_longer_lets_a_release_on(wrong: str | None) -> None:
    service, places, ines = make_service(), make_environments(), make_release_manager()
    make_pipeline(service, PIPELINE)
    release = make_release(service, at=NOW - timedelta(days=2))
    deployed = make_deployment(release, places["staging"], at=NOW - timedelta(days=1))
    asked = ask_for_promotion(Request(release=release, environment=places["production"]), at=NOW)
    if wrong:
        row = deployed if wrong == "deployment" else Build.objects.get()
        void_fact(wrong, row.pk, why="It was another cluster.", person=ines, at=NOW)
    expected = State.WAITING if wrong else State.SUCCEEDED
    assert state_after(asked.promotion, NOW + timedelta(seconds=1)) is expected
