"""The demonstration's assessments, whatever day of a quarter it is loaded on."""

from datetime import UTC, datetime

import pytest

from metrics.actions.assess import find_cycle
from metrics.models import Assessment
from tests.parts.demo_teams import tell_assessments

FIRST_HOUR = datetime(2027, 1, 1, 0, 40, tzinfo=UTC)
MIDDLE = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("days", [45, 120])
def test_in_the_first_hour_of_a_quarter_everything_lies_within_it(days):
    tell_assessments(FIRST_HOUR, days=days)
    assert find_cycle(FIRST_HOUR) == "2027-q1"
    assert set(Assessment.objects.values_list("cycle", flat=True)) == {"2026-q4", "2027-q1"}
    assert Assessment.objects.get(team__slug="pricing", cycle="2027-q1").state == "in review"
    assert all(find_cycle(one.started_at) == one.cycle for one in Assessment.objects.all())


@pytest.mark.django_db
def test_a_history_that_begins_in_this_quarter_has_no_quarter_before():
    tell_assessments(MIDDLE, days=45)
    assert set(Assessment.objects.values_list("cycle", flat=True)) == {"2026-q4"}
