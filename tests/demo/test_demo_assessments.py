"""How the demonstration's teams assess themselves, and what they want of the measures."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from demo.targets import TARGETS
from metrics.measures.registry import MEASURES
from metrics.models import Answer, Assessment, MeasureTarget
from metrics.standing import derive_standing, find_model
from metrics.targets import Targets
from promotion.models import AuditEntry
from tests.parts.demo_teams import tell_assessments

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker):
    """Told once for all tests that only look; undone at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield tell_assessments(NOW)
        transaction.set_rollback(True)


def find(team, cycle="2026-q4"):
    return Assessment.objects.get(team__slug=team, cycle=cycle)


def stand(assessment):
    return derive_standing(find_model(assessment), list(assessment.answers.all()), NOW)


def test_both_quarters_have_assessments_in_every_state(told, db):
    states = Counter(Assessment.objects.values_list("cycle", "state"))
    assert states == {
        ("2026-q3", "superseded"): 3,
        ("2026-q3", "agreed"): 3,
        ("2026-q4", "agreed"): 3,
        ("2026-q4", "in review"): 1,
        ("2026-q4", "draft"): 1,
    }


def test_the_teams_stand_at_different_levels(told, db):
    agreed = Assessment.objects.filter(state="agreed")
    levels = {
        one.team.slug: (one.result["claimed"]["overall"], one.result["verified"]["overall"])
        for one in agreed
    }
    assert levels["shipping-core"] == (4, 3)
    assert levels["driver-app"] == (2, 2)
    assert levels["customs"] == (2, 1)
    assert levels["data-exchange"] == (1, 1)
    pricing = stand(find("pricing"))
    assert (pricing.claimed.overall, pricing.verified.overall) == (3, 1)


def test_the_team_lead_of_billing_has_answered_half_of_hers(told, db):
    draft = find("billing")
    assert draft.is_draft
    assert draft.started_by.username == "ruth"
    assert draft.answers.filter(is_carried=False).count() == 16
    assert draft.answers.filter(is_carried=True).count() == 16


def test_what_does_not_apply_was_agreed_by_somebody_else(told, db):
    answers = Answer.objects.filter(value="na")
    assert {one.assessment.team.slug for one in answers} == {"customs", "pricing"}
    assert all(one.is_agreed_not_applicable(NOW) for one in answers)
    assert all(one.not_applicable_agreed_by != one.answered_by for one in answers)


def test_some_evidence_is_accepted_some_waits_and_one_team_has_none(told, db):
    given = Answer.objects.exclude(evidence_url="")
    assert any(one.has_accepted_evidence(NOW) for one in given)
    assert find("pricing").answers.filter(evidence_accepted_at=None, evidence_url__gt="").exists()
    assert not given.filter(assessment__team__slug="data-exchange").exists()


def test_comments_stand_where_a_team_has_something_to_say(told, db):
    comments = list(Answer.objects.exclude(comment="").values_list("comment", flat=True))
    assert len(set(comments)) > 30


def test_every_measure_has_a_target_and_one_team_wants_more(told, db):
    targets = Targets(NOW)
    assert all(targets.find(name) is not None for name in MEASURES)
    assert targets.find("build_to_production", "shipping-core") == 48
    assert targets.find("build_to_production", "customs") == 96
    assert MeasureTarget.objects.count() == len(TARGETS)
    assert Targets(told.begins_at + timedelta(days=10)).find("failures") == pytest.approx(0.15)
    assert targets.find("failures") == pytest.approx(0.1)


def test_every_step_is_in_the_audit_log_in_the_order_of_time(told, db):
    entries = AuditEntry.objects.order_by("pk")
    assert {"assessment.agree", "assessment.accept-evidence", "measure.set-target"} <= set(
        entries.values_list("action", flat=True)
    )
    times = list(entries.values_list("at", flat=True))
    assert times == sorted(times)
