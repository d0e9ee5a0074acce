"""Teams told once for the tests that only look at what the checks found of them."""

from datetime import timedelta

import pytest
from django.db import transaction

from metrics.models import MeasureTarget, PageView
from promotion.rules.states import State
from tests.factories import NOW, make_pipeline
from tests.parts.checked_team import PIPELINE, make_checked_team

WAVES = "    rollout: {{strategy: waves, waves: [{{targets: [eu-1]}}, {{targets: [us-1]}}]}}\n"


@pytest.fixture(scope="module")
def found_of_a_good_team(django_db_setup, django_db_blocker):
    """What the checks find of a team that does all there is to do."""
    with django_db_blocker.unblock(), transaction.atomic():
        team = make_checked_team()
        team.do_well(10, until=NOW - timedelta(days=8))
        make_pipeline(team.service, PIPELINE + WAVES, at=NOW - timedelta(days=8))
        team.do_well(2, first=10)
        broken = team.release("2.0.0", NOW - timedelta(days=4, hours=8))
        team.pass_through(broken, NOW - timedelta(days=4))
        team.promote(
            broken, NOW - timedelta(days=4), state=State.FAILED, cause="data",
            cause_words="A column was dropped too early.", action="Split the migration.",
            cause_told_at=NOW - timedelta(days=3),
        )  # fmt: skip
        PageView.objects.create(
            person=team.manager, team=team.team, page="measure-list", day=NOW.date(),
            first_at=NOW - timedelta(days=1),
        )  # fmt: skip
        MeasureTarget.objects.create(
            measure="first_pass", team=team.team, value=0.9, set_by=team.manager,
            set_at=NOW - timedelta(days=40),
        )  # fmt: skip
        yield team.find_all()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def found_of_a_new_team(django_db_setup, django_db_blocker):
    """What they find of a team that did all of it, three times so far."""
    with django_db_blocker.unblock(), transaction.atomic():
        team = make_checked_team("newcomers")
        team.do_well(3)
        yield team.find_all()
        transaction.set_rollback(True)
