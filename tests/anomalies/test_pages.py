"""The pages of anomalies, annotations and facts, the gate and the notes on a promotion."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from metrics.actions.annotate import Note, annotate
from metrics.actions.refresh_facts import refresh_stale
from metrics.models import Annotation, Anomaly, ExecutionFact
from promotion.gates.base import GateContext, Verdict
from promotion.gates.known import GATES
from promotion.models import AuditEntry, Correction, Incident
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_release_manager,
    make_sender,
    make_service,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def deployment():
    service, places = make_service(), make_environments()
    make_pipeline(service, at=NOW - timedelta(days=90))
    made = make_deployment(make_release(service), places["production"], at=NOW - timedelta(days=9))
    refresh_stale(NOW)
    return made


@pytest.fixture
def ines(client):
    person = make_release_manager()
    client.force_login(person)
    return person


def make_anomaly(service, **fields):
    fields = {
        "measure": "automated_share",
        "rule": "share",
        "key": f"test:{Anomaly.objects.count()}",
        "sentence": "Automated promotion of shipment-api was 10 % at 9 Nov 2026.",
        "is_worse": True,
        "details": {
            "unit": "share",
            "value": 0.1,
            "baseline": {"n": 12, "centre": 0.8, "from": "2026-08-03", "to": "2026-10-19"},
            "limits": {"low": 0.5, "high": 1.0},
        },
        "rows": "/measures/automated-share/rows/",
        "first_day": date(2026, 11, 9),
        "last_day": date(2026, 11, 15),
        "definition": "v1",
        "opened_at": NOW - timedelta(hours=2),
        **fields,
    }
    return Anomaly.objects.create(service=service, **fields)


def test_the_list_shows_open_ones_and_the_page_of_one_its_rule_baseline_and_limits(
    client, ines, deployment
):
    anomaly = make_anomaly(deployment.service)

    shown = client.get(reverse("anomaly-list")).content.decode()
    page = client.get(reverse("anomaly-detail", args=[anomaly.pk])).content.decode()

    assert anomaly.sentence in shown
    assert "12 points, 2026-08-03 to 2026-10-19, around 80" in page
    assert "50" in page and 'href="/measures/automated-share/rows/"' in page
    assert "pooled share" in page


def test_a_dismissed_one_moves_to_its_own_list_with_the_reason(client, ines, deployment):
    anomaly = make_anomaly(deployment.service)

    refused = client.post(reverse("anomaly-dismiss", args=[anomaly.pk]), {"reason": ""})
    client.post(reverse("anomaly-dismiss", args=[anomaly.pk]), {"reason": "A known move."})

    assert refused.status_code == 400
    assert anomaly.sentence not in client.get(reverse("anomaly-list")).content.decode()
    shown = client.get(reverse("anomaly-list"), {"state": "dismissed"}).content.decode()
    assert "A known move." in shown
    told = client.get(reverse("anomaly-csv"), {"state": "dismissed"}).content.decode()
    assert "A known move." in told and told.startswith("id,state,measure,rule")


def test_nobody_dismisses_by_looking_or_without_the_right(client, deployment):
    anomaly = make_anomaly(deployment.service)
    client.force_login(make_person("tomasz", "member"))

    assert client.get(reverse("anomaly-dismiss", args=[anomaly.pk])).status_code == 405
    answer = client.post(reverse("anomaly-dismiss", args=[anomaly.pk]), {"reason": "No."})
    assert answer.status_code == 403
    page = client.get(reverse("anomaly-detail", args=[anomaly.pk])).content.decode()
    assert "Dismiss…" not in page


def test_the_list_costs_the_same_for_one_and_for_many(
    client, ines, deployment, django_assert_max_num_queries
):
    for _ in range(40):
        make_anomaly(deployment.service, promotion=None)
    client.get(reverse("anomaly-list"))

    with django_assert_max_num_queries(12):
        client.get(reverse("anomaly-list"))


def test_a_chart_and_its_table_have_the_anomaly_and_the_words_at_their_dates(
    client, ines, deployment
):
    make_anomaly(deployment.service)
    annotate(
        Note(date(2026, 11, 10), "Freeze of the fair", service="shipment-api"), person=ines, at=NOW
    )

    query = {"service": "shipment-api"}
    page = client.get(reverse("measure-detail", args=["automated-share"]), query).content.decode()
    others = client.get(reverse("measure-detail", args=["automated-share"])).content.decode()

    assert "At this date" in page
    assert page.count("Freeze of the fair") >= 2
    assert "was 10 % at 9 Nov 2026" in page
    assert "Freeze of the fair" not in others


def test_what_is_written_at_a_date_is_changed_and_taken_away_on_record(client, ines):
    make_service()
    made = reverse("annotation-make")
    client.post(made, {"day": "2026-11-02", "text": "New pipeline", "scope": "team:shipping"})
    note = Annotation.objects.get()
    client.post(
        reverse("annotation-change", args=[note.pk]), {"day": "2026-11-03", "text": "Newer"}
    )
    assert "Newer" in client.get(reverse("annotation-list")).content.decode()
    client.post(reverse("annotation-remove", args=[note.pk]))

    assert "Newer" not in client.get(reverse("annotation-list")).content.decode()
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", "details"))
    assert [action for action, _ in actions] == [
        "annotation.make",
        "annotation.change",
        "annotation.remove",
    ]
    assert actions[1][1]["before"] == {"day": "2026-11-02", "text": "New pipeline"}


@pytest.mark.parametrize(
    "given",
    [
        {"day": "soon", "text": "x"},
        {"day": "2026-11-02", "text": ""},
        {"day": "1999-01-01", "text": "x"},
        {"day": "2026-11-02", "text": "x" * 121},
        {"day": "2026-11-02", "text": "x", "scope": "team:none\x00"},
    ],
)
def test_what_cannot_be_written_is_refused_with_a_sentence(client, ines, given):
    answer = client.post(reverse("annotation-make"), given)

    assert answer.status_code == 400
    assert "Nothing was changed." in answer.content.decode()
    assert not Annotation.objects.exists()


def test_others_write_only_for_their_own_team(client):
    make_service()
    client.force_login(make_person("tomasz", "member", team=make_service().team))

    answer = client.post(reverse("annotation-make"), {"day": "2026-11-02", "text": "x"})

    assert answer.status_code == 403


def test_a_row_leads_to_its_fact_where_it_is_voided(client, ines, deployment):
    rows = client.get(reverse("measure-rows", args=["automated-share"])).content.decode()
    address = reverse("fact-detail", args=["deployment", deployment.pk])
    assert f'href="{address}"' in rows

    client.post(reverse("fact-void", args=["deployment", deployment.pk]), {"reason": "A test."})
    refresh_stale(NOW)

    assert Correction.objects.get().why == "A test."
    assert "voided it" in client.get(address).content.decode()
    assert not ExecutionFact.objects.exists()


def test_an_incident_is_disputed_from_the_row_and_listed_beside(client, ines, deployment):
    incident = Incident.objects.create(
        source="pagerduty",
        external_id="Q1",
        service=deployment.service,
        environment=deployment.environment,
        title="Labels are empty",
        opened_at=NOW - timedelta(days=9) + timedelta(hours=1),
        received_at=NOW - timedelta(days=9) + timedelta(hours=1),
    )
    refresh_stale(NOW)
    address = reverse("fact-detail", args=["incident", incident.pk])
    assert address in client.get(reverse("measure-rows", args=["failures"])).content.decode()
    assert f"deployment-{deployment.pk}" in client.get(address).content.decode()

    client.post(
        reverse("fact-judge", args=["incident", incident.pk]),
        {"word": "disputed", "reason": "The printer was off."},
    )
    refresh_stale(NOW)

    page = client.get(address).content.decode()
    assert "The printer was off." in page
    beside = client.get(reverse("incident-list")).content.decode()
    assert "Labels are empty" in beside and "Disputed by a person" in beside


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fact-detail", ["promotion", 1]),
        ("fact-detail", ["deployment", 2**70]),
        ("fact-detail", ["build", 4711]),
        ("anomaly-detail", [4711]),
    ],
)
def test_what_there_is_not_is_not_found(client, ines, name, arguments):
    assert client.get(reverse(name, args=arguments)).status_code == 404


def ask_gate(promotion):
    form = promotion.pipeline_version.form
    stage = form.stage_of(promotion.environment.slug)
    return GATES["anomaly"].evaluate(GateContext(promotion, form, stage, {}, NOW))


def test_the_gate_waits_while_something_is_unusual_there_and_opens_when_it_is_dismissed(
    client, ines, deployment
):
    promotion = make_promotion(deployment.release, deployment.environment)
    assert ask_gate(promotion).verdict == Verdict.OPEN
    anomaly = make_anomaly(deployment.service)
    make_anomaly(deployment.service, is_worse=False)
    make_anomaly(deployment.service, rule="silence")

    outcome = ask_gate(promotion)
    assert outcome.verdict == Verdict.WAITING
    assert outcome.evidence == ((str(anomaly), f"/measures/anomalies/{anomaly.pk}/"),)
    client.post(reverse("anomaly-dismiss", args=[anomaly.pk]), {"reason": "Known."})
    assert ask_gate(promotion).verdict == Verdict.OPEN
    assert list(GATES["anomaly"].problems_in({"for": "1h"}))


def test_the_page_of_a_promotion_says_what_is_unusual_about_it(client, ines, deployment):
    promotion = make_promotion(
        deployment.release, deployment.environment, state=State.RUNNING, started_at=NOW
    )
    anomaly = make_anomaly(
        deployment.service,
        promotion=promotion,
        environment=deployment.environment,
        rule="slow",
        measure="promotion_duration",
        sentence="P-1 has run for 3 h, longer than 100 % of the 9 of its kind.",
    )

    page = client.get(f"/promotions/{promotion.pk}/").content.decode()

    assert anomaly.sentence in page
    assert reverse("anomaly-detail", args=[anomaly.pk]) in page


def test_the_page_of_a_waiting_promotion_says_what_is_unusual_there_lately_and_not_what_is_over(
    client, ines, deployment
):
    promotion = make_promotion(deployment.release, deployment.environment)
    today = timezone.localdate()
    for key, days in (("now", 2), ("long ago", 30)):
        day = today - timedelta(days=days)
        make_anomaly(
            deployment.service, key=key, sentence=f"Unusual {key}.", first_day=day, last_day=day
        )

    page = client.get(f"/promotions/{promotion.pk}/").content.decode()

    assert "Unusual now." in page
    assert "Unusual long ago." not in page


def test_the_api_lists_anomalies_by_state_with_baseline_and_limits(client, ines, deployment):
    anomaly = make_anomaly(deployment.service)
    make_anomaly(deployment.service, closed_at=NOW)

    answer = client.get("/api/v1/anomalies", {"state": "open", "service": "shipment-api"})

    assert answer.status_code == 200
    (found,) = answer.json()["results"]
    assert (found["id"], found["state"], found["rule"]) == (anomaly.pk, "open", "share")
    assert found["details"]["limits"] == {"low": 0.5, "high": 1.0}
    assert client.get("/api/v1/anomalies", {"state": "odd"}).status_code == 400


def test_who_configures_sets_from_which_severity_incidents_of_a_sender_count(client):
    sender = make_sender("pagerduty", "pagerduty")
    client.force_login(make_person("tomasz", "member"))
    address = reverse("sender-severity", args=[sender.slug])
    assert client.post(address, {"severity": "high"}).status_code == 403
    client.force_login(make_person("carla", "platform engineer"))

    assert client.post(address, {"severity": "odd"}).status_code == 400
    client.post(address, {"severity": "high"})

    page = client.get(reverse("sender-detail", args=[sender.slug])).content.decode()
    assert "high and above; others are only suspected" in page
