"""Senders whose clocks are ahead of ours."""

from datetime import timedelta

import pytest

from promotion.actions.promote_automatically import promote_automatically
from promotion.models import Promotion
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_pipeline,
    make_release,
    make_service,
)

pytestmark = pytest.mark.django_db
PIPELINE = """
service: {service}
stages:
  - {{name: dev, environment: dev}}
  - {{name: staging, environment: staging, after: [dev], auto: true}}
"""


def test_a_deployment_told_by_a_clock_ahead_of_ours_is_judged_when_its_time_has_come():
    service, places = make_service(), make_environments()
    make_pipeline(service, PIPELINE)
    release = make_release(service, at=NOW - timedelta(hours=1))
    ahead = NOW + timedelta(seconds=3)
    make_deployment(release, places["dev"], at=ahead)
    assert promote_automatically(service.pk, at=NOW) == []
    service.refresh_from_db()
    assert service.next_look_at == ahead
    (number,) = promote_automatically(service.pk, at=ahead)
    assert Promotion.objects.get(pk=number).environment == places["staging"]
