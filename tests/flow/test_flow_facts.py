"""The facts of flow are written once, as a service is brought up to date, with what is on record."""

from collections import Counter

import pytest

from metrics.actions.refresh_facts import refresh_stale
from metrics.facts import load_record
from metrics.facts.checked.promotions import load_promotion_details
from metrics.maturity.checks.registry import FIGURES
from metrics.measures.history import History
from metrics.models import ControlFact, FlowFact, WaitFact
from promotion.models import Approval, Service
from tests.factories import NOW

from .flow_story import DAY, HOUR, deliver

pytestmark = pytest.mark.django_db
LATER = NOW + 20 * DAY


def test_each_promotion_that_ended_is_written_once_and_its_parts_add_up():
    deliver()
    refresh_stale(LATER)
    refresh_stale(LATER + HOUR)

    facts = list(FlowFact.objects.order_by("at"))
    assert [fact.state for fact in facts] == ["succeeded"] * 5 + ["rejected"]
    first = facts[0]
    assert (first.people, first.windows, first.running) == (7200, 3600, 1800)
    assert (first.manual_steps, first.hand_offs) == (1, 2)
    for fact in facts:
        parts = fact.people + fact.windows + fact.gates + fact.turn + fact.untold + fact.running
        assert parts == fact.lead


def test_the_gate_and_the_rule_that_held_are_written_with_what_they_caught():
    deliver()
    refresh_stale(LATER)

    rule = WaitFact.objects.filter(gate="approval")
    assert {(wait.rule, wait.held) for wait in rule} == {("release managers", 7200)}
    assert Counter(rule.values_list("caught", flat=True)) == {"": 5, "rejected": 1}
    window = WaitFact.objects.filter(gate="window")
    assert {(wait.held, wait.alone, wait.caught) for wait in window} == {(10800, 3600, "")}


def test_controls_are_written_of_what_started():
    deliver()
    refresh_stale(LATER)

    found = Counter(ControlFact.objects.values_list("control", "outcome"))
    assert found == {
        ("order", "met"): 5,
        ("lock", "met"): 5,
        ("approval", "met"): 5,
        ("window", "met"): 4,
        ("window", "missed"): 1,
    }


def test_what_had_not_ended_by_then_is_not_written():
    deliver()
    refresh_stale(NOW + 3 * DAY)
    assert FlowFact.objects.count() == 3


def test_the_check_counts_promotions_decided_with_a_readiness_that_is_kept():
    made = deliver()
    Approval.objects.filter(promotion=made[1]).update(readiness={})
    service = Service.objects.get()
    history = History(load_record(LATER, services=[service.pk]), LATER)

    details = load_promotion_details([service.pk], history)

    assert [each.has_readiness for each in details] == [True, False, True, True, True]
    assert FIGURES["promotions-with-readiness-snapshot"].has_source
