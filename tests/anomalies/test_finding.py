"""Anomalies are found in what is on record, open once, are told of once, close and are dismissed."""

from datetime import timedelta

import pytest

from metrics.actions.dismiss_anomaly import dismiss_anomaly
from metrics.actions.find_anomalies import find_anomalies, find_slow_promotions
from metrics.actions.refresh_facts import refresh_stale
from metrics.models import Anomaly
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import AuditEntry, Deployment, Event, Notification, Promotion
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
    make_team,
)

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)
FIRST = NOW - 20 * WEEK  # Mondays at 14:20
USUAL = [2, 3, 2, 1, 3, 2, 3, 2, 1, 2, 3, 2, 2, 3, 1, 2, 3, 2, 2]


def deploy_weeks(counts, service=None):
    """So many production deployments in each of the weeks before that of NOW."""
    service, places = service or make_service(), make_environments()
    make_pipeline(service, at=FIRST - WEEK)
    release = make_release(service)
    other = make_release(service, "5.0.0")
    number = 0
    for week, count in enumerate(counts):
        for hour in range(count):
            number += 1
            make_deployment(
                (release, other)[number % 2],
                places["production"],
                at=NOW - (len(counts) - week) * WEEK + timedelta(hours=hour),
                mechanism="automated",
                is_planned=True,
            )
    refresh_stale(NOW)
    return service


def found(measure):
    return Anomaly.objects.filter(measure=measure)


def test_a_week_with_far_more_deployments_opens_an_anomaly_with_rule_baseline_limits_and_rows():
    service = deploy_weeks([*USUAL, 9])

    find_anomalies(NOW)

    anomaly = found("throughput").get(service=service, rule="outside")
    assert anomaly.state == "open"
    assert anomaly.details["value"] == 9
    baseline = anomaly.details["baseline"]
    assert (baseline["n"], baseline["to"]) == (12, "2026-09-21")
    assert anomaly.details["limits"]["high"] < 9
    assert anomaly.rows == (
        "/measures/automated-share/rows/?from=2026-11-16&to=2026-11-23&service=shipment-api"
    )
    assert found("throughput").filter(service=None).exists()


def test_there_is_none_on_fewer_weeks_than_the_rule_allows():
    deploy_weeks([*USUAL[:9], 9])

    assert find_anomalies(NOW) == 0
    assert not Anomaly.objects.exists()


def test_computing_again_makes_nothing_twice_and_tells_nobody_twice():
    deploy_weeks([*USUAL, 0])
    make_release_manager("ines", team=make_team())
    find_anomalies(NOW)
    columns = ("pk", "key", "opened_at", "closed_at")
    before = list(Anomaly.objects.order_by("pk").values_list(*columns))
    find_anomalies(NOW + timedelta(minutes=15))
    told = Notification.objects.count()

    find_anomalies(NOW + timedelta(minutes=30))

    assert before
    assert list(Anomaly.objects.order_by("pk").values_list(*columns)) == before
    assert Notification.objects.count() == told
    assert told


def test_a_service_whose_facts_lag_is_judged_when_they_follow():
    deploy_weeks([*USUAL, 9])
    later = NOW + timedelta(hours=1)
    Deployment.objects.update(mechanism="manual")

    find_anomalies(later)
    assert not Anomaly.objects.exists()
    refresh_stale(later)
    find_anomalies(later)
    assert found("throughput").exists()


def test_fewer_than_one_deployment_a_week_are_not_counted_by_week():
    deploy_weeks([1, *[0] * 16, 1, 0, 0])

    find_anomalies(NOW)

    assert not found("throughput").exists()


def test_an_anomaly_closes_when_it_is_no_longer_so_and_opens_again_when_it_is():
    service = deploy_weeks([*USUAL, 9])
    find_anomalies(NOW)
    late = Deployment.objects.filter(finished_at__gte=NOW - WEEK).order_by("finished_at")[2:]
    moved = {each.pk: each.finished_at for each in late}
    Deployment.objects.filter(pk__in=moved).update(result="running", finished_at=None)
    refresh_stale(NOW)

    find_anomalies(NOW)

    anomaly = found("throughput").get(service=service, rule="outside")
    assert anomaly.state == "over"
    for key, ended in moved.items():
        Deployment.objects.filter(pk=key).update(result="succeeded", finished_at=ended)
    refresh_stale(NOW)
    find_anomalies(NOW)
    anomaly.refresh_from_db()
    assert anomaly.state == "open"


def run_promotions(minutes, state=State.SUCCEEDED, service=None):
    service, places = service or make_service(), make_environments()
    make_pipeline(service, at=FIRST)
    release = make_release(service)
    made = []
    for number, lasted in enumerate(minutes):
        started = NOW - timedelta(days=number + 1)
        made.append(
            make_promotion(
                release,
                places["production"],
                state=state,
                at=started,
                started_at=started,
                ended_at=started + timedelta(minutes=lasted),
            )
        )
    return made


KIND = [9, 10, 11, 12, 10, 9, 11, 10, 12]


def test_a_promotion_that_runs_far_longer_than_its_kind_is_unusual_and_says_than_how_many():
    usual = run_promotions(KIND)
    slow = make_promotion(
        usual[0].release,
        usual[0].environment,
        state=State.RUNNING,
        started_at=NOW - timedelta(hours=3),
    )

    assert find_slow_promotions(NOW) == 1

    anomaly = Anomaly.objects.get()
    assert (anomaly.promotion, anomaly.rule) == (slow, "slow")
    assert "longer than 100 % of the 9 of its kind" in anomaly.sentence
    Promotion.objects.filter(pk=slow.pk).update(
        state=State.CANCELLED.value, ended_at=NOW + timedelta(minutes=1)
    )
    assert find_slow_promotions(NOW + timedelta(minutes=2)) == 0
    anomaly.refresh_from_db()
    assert anomaly.state == "over"


def test_a_promotion_is_not_unusual_among_fewer_than_eight():
    usual = run_promotions(KIND[:7])
    make_promotion(
        usual[0].release,
        usual[0].environment,
        state=State.RUNNING,
        started_at=NOW - timedelta(hours=9),
    )

    assert find_slow_promotions(NOW) == 0


def test_those_who_may_act_are_told_of_what_is_worse():
    usual = run_promotions(KIND)
    ines = make_release_manager("ines", team=usual[0].service.team)
    started = NOW - timedelta(hours=5)
    slow = make_promotion(
        usual[0].release,
        usual[0].environment,
        state=State.FAILED,
        at=started,
        started_at=started,
        ended_at=NOW - timedelta(hours=1),
    )
    refresh_stale(NOW)

    find_anomalies(NOW)
    assert not Notification.objects.exists()
    for minutes in (15, 30):
        find_anomalies(NOW + timedelta(minutes=minutes))

    anomaly = Anomaly.objects.get(promotion=slow)
    notice = Notification.objects.get(person=ines, kind="anomaly")
    assert notice.link == f"/measures/anomalies/{anomaly.pk}/"
    assert slow.number in notice.sentence


def test_a_sender_quiet_for_longer_than_its_own_gaps_is_unusual_until_it_speaks():
    sender = make_sender()
    for hour in range(30):
        tell(sender, NOW - timedelta(hours=40 + 2 * hour))

    find_anomalies(NOW)

    anomaly = found("silence").get()
    assert (anomaly.sender, anomaly.service) == (sender, None)
    tell(sender, NOW)
    find_anomalies(NOW + timedelta(minutes=1))
    anomaly.refresh_from_db()
    assert anomaly.state == "over"


def tell(sender, at):
    Event.objects.create(
        sender=sender,
        source=sender.kind,
        delivery_id=at.isoformat(),
        body=b"{}",
        body_sha256="0" * 64,
        received_at=at,
    )


def test_dismissing_takes_a_reason_and_the_right_and_lasts():
    service = deploy_weeks([*USUAL, 9])
    find_anomalies(NOW)
    anomaly = found("throughput").get(service=service, rule="outside")
    ines, tomasz = make_release_manager(team=service.team), make_person("tomasz", "member")
    with pytest.raises(NotAllowedError, match="takes a release manager"):
        dismiss_anomaly(anomaly.pk, reason="Known.", person=tomasz, at=NOW)
    with pytest.raises(InputError, match="Say why"):
        dismiss_anomaly(anomaly.pk, reason="  ", person=ines, at=NOW)

    dismiss_anomaly(anomaly.pk, reason="A load test.", person=ines, at=NOW)
    find_anomalies(NOW)

    anomaly.refresh_from_db()
    assert (anomaly.state, anomaly.dismissed_by) == ("dismissed", ines)
    assert AuditEntry.objects.get(action="anomaly.dismiss").reason == "A load test."
    with pytest.raises(ConflictError, match="dismissed already"):
        dismiss_anomaly(anomaly.pk, reason="Again.", person=ines, at=NOW)
