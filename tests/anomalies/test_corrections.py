"""What people say of facts changes the figures from now on, and leaves those of before as they were."""

from datetime import timedelta

import pytest

from metrics.actions.refresh_facts import refresh_stale
from metrics.facts import load_record
from metrics.measures.history import History
from metrics.models import ExecutionFact, IncidentFact
from promotion.actions.judge_link import judge_incident, judge_return
from promotion.actions.set_severity import set_least_severity
from promotion.actions.void_fact import void_fact
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import AuditEntry, Event, Incident
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_sender,
    make_service,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SAID_AT, AT = NOW + timedelta(days=2), NOW + timedelta(days=3)


@pytest.fixture
def world():
    service, places = make_service(), make_environments()
    make_pipeline(service, at=NOW)
    first = make_deployment(
        make_release(service, "1.0.0"), places["production"], at=NOW, mechanism="automated"
    )
    second = make_deployment(
        make_release(service, "2.0.0"), places["production"], at=NOW + HOUR, mechanism="automated"
    )
    return first, second


def open_incident(deployment, severity="", sender=None):
    event = None
    if sender:
        event = Event.objects.create(
            sender=sender,
            source=sender.kind,
            delivery_id="1",
            body=b"{}",
            body_sha256="0" * 64,
            received_at=NOW + 2 * HOUR,
        )
    return Incident.objects.create(
        source="pagerduty",
        external_id="Q1",
        service=deployment.service,
        environment=deployment.environment,
        title="Labels are empty",
        severity=severity,
        opened_at=NOW + 2 * HOUR,
        received_at=NOW + 2 * HOUR,
        event=event,
    )


def failed_units():
    refresh_stale(AT)
    return set(ExecutionFact.objects.filter(has_failed=True).values_list("unit", flat=True))


def failed_as_of(at):
    history = History(load_record(at), at)
    return {each.id for each in history.executions if history.judgement.findings_on(each)}


def test_a_disputed_link_counts_no_more_and_as_of_before_it_still_does(world):
    incident, ines = open_incident(world[1]), make_release_manager()
    assert failed_units() == {f"deployment-{world[1].pk}"}

    judge_incident(incident.pk, "disputed", why="The printer was off.", person=ines, at=SAID_AT)

    assert failed_units() == set()
    assert IncidentFact.objects.get().outcome == "disputed"
    assert failed_as_of(SAID_AT - HOUR) == {f"deployment-{world[1].pk}"}
    entry = AuditEntry.objects.get(action="incident.judge")
    assert (entry.actor, entry.reason) == (ines, "The printer was off.")


def test_an_incident_linked_to_another_deployment_makes_that_one_the_failure(world):
    incident, ines = open_incident(world[1]), make_release_manager()

    judge_incident(
        incident.pk, "linked", deployment=world[0].pk, why="Since 1.0.0.", person=ines, at=SAID_AT
    )

    assert failed_units() == {f"deployment-{world[0].pk}"}
    assert failed_as_of(SAID_AT - HOUR) == {f"deployment-{world[1].pk}"}


def test_what_was_said_can_be_withdrawn(world):
    incident, ines = open_incident(world[1]), make_release_manager()
    judge_incident(incident.pk, "disputed", why="Not ours.", person=ines, at=SAID_AT)
    judge_incident(incident.pk, "withdrawn", why="It was.", person=ines, at=SAID_AT + HOUR)

    assert failed_units() == {f"deployment-{world[1].pk}"}
    assert failed_as_of(SAID_AT) == set()


def test_an_incident_below_the_severity_of_its_sender_counts_when_a_person_confirms_it(world):
    carla, ines = make_person("carla", "platform engineer"), make_release_manager()
    sender = make_sender("pagerduty", "pagerduty")
    incident = open_incident(world[1], "SEV-3", sender)
    assert failed_units() == {f"deployment-{world[1].pk}"}

    set_least_severity("pagerduty", "high", person=carla, at=SAID_AT)

    assert failed_units() == set()
    assert IncidentFact.objects.get().outcome == "suspected"
    judge_incident(incident.pk, "confirmed", why="Labels were empty.", person=ines, at=SAID_AT)
    assert failed_units() == {f"deployment-{world[1].pk}"}


def test_a_return_said_to_be_planned_marks_nothing_and_as_of_before_it_still_does(world):
    first, second = world
    back = make_deployment(first.release, first.environment, at=NOW + 2 * HOUR)
    assert failed_units() == {f"deployment-{second.pk}"}

    judge_return(back.pk, "disputed", why="A drill.", person=make_release_manager(), at=SAID_AT)

    assert failed_units() == set()
    assert failed_as_of(SAID_AT - HOUR) == {f"deployment-{second.pk}"}


def test_a_voided_deployment_is_in_no_figure_and_as_of_before_it_still_is(world):
    void_fact(
        "deployment", world[1].pk, why="A test of CI.", person=make_release_manager(), at=SAID_AT
    )

    refresh_stale(AT)

    assert ExecutionFact.objects.get().unit == f"deployment-{world[0].pk}"
    history = History(load_record(SAID_AT - HOUR), SAID_AT - HOUR)
    assert len(history.executions) == 2
    assert AuditEntry.objects.get(action="deployment.void").reason == "A test of CI."


def test_nobody_else_corrects_and_nothing_is_corrected_without_a_reason_or_twice(world):
    incident, key = open_incident(world[1]), world[1].pk
    tomasz, ines = make_person("tomasz", "member"), make_release_manager()
    with pytest.raises(NotAllowedError, match="takes a release manager of Shipping"):
        void_fact("deployment", key, why="Wrong.", person=tomasz, at=SAID_AT)
    with pytest.raises(NotAllowedError):
        judge_incident(incident.pk, "disputed", why="Wrong.", person=tomasz, at=SAID_AT)
    with pytest.raises(NotAllowedError):
        judge_return(key, "disputed", why="Wrong.", person=tomasz, at=SAID_AT)
    with pytest.raises(InputError, match="Say why"):
        void_fact("deployment", key, why=" ", person=ines, at=SAID_AT)
    with pytest.raises(InputError, match="Choose an ended deployment"):
        judge_incident(incident.pk, "linked", why="Other.", person=ines, at=SAID_AT)
    void_fact("incident", incident.pk, why="A test.", person=ines, at=SAID_AT)
    with pytest.raises(ConflictError, match="voided already"):
        void_fact("incident", incident.pk, why="A test.", person=ines, at=SAID_AT)
    assert failed_units() == set()
