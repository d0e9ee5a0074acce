"""Which target holds: the narrowest there is."""

from datetime import UTC, datetime

import pytest

from metrics.models import MeasureTarget
from metrics.targets import Targets
from promotion.models import Team
from tests.factories import make_person, make_service

AT = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


@pytest.mark.django_db
def test_the_narrowest_target_holds_where_everybody_has_one():
    service = make_service("shipment-api")
    person, parent = make_person("ines"), Team.objects.create(slug="above", name="Above")
    team = service.team
    team.parent = parent
    team.save()

    def find(**scope):
        return Targets(AT).find("first_pass", **scope)

    def set_target(value, **scope):
        MeasureTarget.objects.create(
            measure="first_pass", value=value, set_by=person, set_at=AT, **scope
        )

    set_target(0.5)
    assert find(service="shipment-api") == find(team=team.slug) == find() == 0.5
    set_target(0.6, team=parent)
    assert find(service="shipment-api") == find(team=team.slug) == 0.6
    set_target(0.7, team=team)
    assert find(service="shipment-api") == find(team=team.slug) == 0.7
    set_target(0.8, service=service)
    assert find(service="shipment-api") == 0.8
    assert (find(team=team.slug), find(team="above"), find()) == (0.7, 0.6, 0.5)
