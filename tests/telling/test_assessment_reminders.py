"""Teams are reminded of the quarter once, of what is asked and why; owners of late actions."""

from datetime import date, timedelta

import pytest

from metrics.actions.agree import agree, submit
from metrics.actions.assess import Given, save_answer, start_assessment
from metrics.actions.improve import Plan, open_improvement
from metrics.actions.remind import remind
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.values import Answer as Value
from promotion.models import Notification, Role
from tests.factories import NOW, make_person, make_team

pytestmark = pytest.mark.django_db
NEXT_QUARTER = NOW + timedelta(days=45)
OTHER = "people.4.learn-from-failures"


@pytest.fixture
def team():
    team = make_team("shipping")
    ines = make_person("ines", Role.RELEASE_MANAGER, team=team)
    make_person("mei", Role.MEMBER, team=team)
    make_person("rasmus", Role.VIEWER, team=team)
    started = start_assessment(team, person=ines, at=NOW)
    for statement in load_shipped_model().statements:
        value = Value.UNKNOWN if statement.id == OTHER else statement.scale[-1]
        save_answer(started.pk, Given(statement.id, value), person=ines, at=NOW)
    submit(started.pk, person=ines, at=NOW)
    agree(started.pk, person=ines, at=NOW)
    return team


def test_members_are_told_once_a_quarter_what_is_asked_and_why(team):
    remind(NOW)
    assert not Notification.objects.exists()
    for hours in (0, 6, 30):
        remind(NEXT_QUARTER + timedelta(hours=hours))

    told = Notification.objects.order_by("person__username")
    assert [each.person.username for each in told] == ["ines", "mei"]
    assert told[0].sentence == (
        "Shipping can assess itself for Q1 2027: 1 of 32 statements are asked"
        " (1 nobody knew last time)."
    )


def test_a_draft_left_lying_is_told_of_and_a_begun_quarter_is_not(team):
    ines = team.memberships.get(role=Role.RELEASE_MANAGER).user
    start_assessment(team, person=ines, at=NEXT_QUARTER)
    remind(NEXT_QUARTER)
    assert not Notification.objects.exists()
    remind(NEXT_QUARTER + timedelta(days=14))
    sentences = set(Notification.objects.values_list("sentence", flat=True))
    assert sentences == {"Assessment of Shipping, Q1 2027 was begun two weeks ago and is a draft."}


def test_the_owner_hears_of_an_action_past_its_day(team):
    mei = make_person("mei")
    plan = Plan(OTHER, "Write causes", mei, date(2026, 11, 30))
    open_improvement(team, plan, person=mei, at=NOW)
    remind(NOW)
    assert not Notification.objects.exists()
    remind(NOW + timedelta(days=9))
    notice = Notification.objects.get()
    assert notice.person == mei
    assert notice.sentence == (
        "Action of Shipping: Write causes was due on 30 Nov 2026 and is open."
    )
