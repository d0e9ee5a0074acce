"""Facts are kept up to date from whatever writes, compared with the record, and repaired."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from metrics.actions.refresh_facts import recompute, refresh_facts, refresh_stale
from metrics.models import ExecutionFact, Rollup, ServiceState, StaleService
from metrics.rollups.checking import find_differences
from metrics.rollups.freshness import find_stale
from promotion.models import Deployment, Observation, Promotion, Service
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_step_run,
    make_team,
)

pytestmark = pytest.mark.django_db
AT = NOW + timedelta(days=3)


@pytest.fixture
def deployment() -> Deployment:
    service, places = make_service(), make_environments()
    make_pipeline(service, at=NOW)
    release = make_release(service)
    make_deployment(release, places["staging"], at=NOW, mechanism="automated")
    found = make_deployment(
        release, places["production"], at=NOW + timedelta(hours=1), mechanism="automated"
    )
    refresh_stale(AT)
    assert not StaleService.objects.exists()
    return found


def check() -> tuple[int, str]:
    told = StringIO()
    try:
        with time_machine.travel(AT, tick=False):
            call_command("recompute", "--check", stdout=told)
    except SystemExit as end:
        return int(str(end.code)), told.getvalue()
    return 0, told.getvalue()


def test_a_row_changed_by_hand_is_told_and_repaired(deployment):
    assert check() == (0, "No difference in 1 services.\n")
    ExecutionFact.objects.filter(environment="production").update(verdict="manual")

    code, told = check()

    assert code == 1
    assert "shipment-api: 1 rows of execution fact the record does not give" in told
    assert "repairs them" in told
    with time_machine.travel(AT, tick=False):
        call_command("recompute", stdout=StringIO())
    assert check()[0] == 0


@pytest.mark.parametrize("scope", ["service", "team", "all"])
def test_a_sum_changed_by_hand_is_told_and_repaired(deployment, scope):
    rows = Rollup.objects.filter(scope=scope, measure="failures")
    other = Rollup.objects.get(scope=scope, measure="automated_share", environment="production")
    rows.update(data=other.data)

    code, told = check()

    assert (code, "the sum of failures production normal 2026 differs" in told) == (1, True)
    recompute(AT)
    assert check()[0] == 0


def test_sums_that_should_not_be_there_are_told_and_removed(deployment):
    Rollup.objects.filter(scope="service").update(scope_key=4711)

    assert check()[0] == 1
    recompute(AT)
    assert check()[0] == 0


def test_a_bulk_update_leaves_no_figure_behind(deployment):
    Deployment.objects.filter(pk=deployment.pk).update(mechanism="manual")

    assert find_stale(AT) == [deployment.service_id]
    refresh_stale(AT)
    assert ExecutionFact.objects.get(environment="production").verdict == "manual"
    assert find_stale(AT) == []


def test_what_no_measure_reads_changes_nothing(deployment):
    Deployment.objects.update(url="https://ci.example/1", found_how="by its tag")
    Service.objects.update(next_look_at=NOW)
    promotion = make_promotion(deployment.release, deployment.environment)
    refresh_stale(AT)
    Promotion.objects.update(next_look_at=NOW)
    make_step_run(promotion, "http")

    assert find_stale(AT) == []


def test_only_the_service_of_a_change_is_computed_again(deployment):
    other = make_release(make_service("label-print"))
    refresh_stale(AT)
    before = ServiceState.objects.get(service_key=deployment.service_id).refreshed_at

    make_deployment(other, deployment.environment, at=NOW)
    refresh_stale(AT + timedelta(minutes=1))

    assert ServiceState.objects.get(service_key=deployment.service_id).refreshed_at == before
    assert ServiceState.objects.get(service_key=other.service_id).refreshed_at > before


def test_what_is_received_later_counts_when_its_time_has_come(deployment):
    Observation.objects.bulk_create(
        [
            Observation(
                service=deployment.service,
                environment=deployment.environment,
                digest="sha256:" + "0" * 64,
                seen_at=AT + timedelta(hours=1),
                received_at=AT + timedelta(hours=1),
            )
        ]
    )
    refresh_stale(AT)

    assert find_stale(AT + timedelta(minutes=59)) == []
    assert find_stale(AT + timedelta(minutes=60)) == [deployment.service_id]


def test_a_service_takes_its_sums_to_another_team(deployment):
    Service.objects.update(team=make_team("platform"))

    refresh_stale(AT)

    keys = set(Rollup.objects.filter(scope="team").values_list("scope_key", flat=True))
    assert keys == {make_team("platform").pk}
    assert list(find_differences(AT)) == []


def test_refreshing_again_writes_nothing(deployment):
    facts = list(ExecutionFact.objects.order_by("pk").values_list("pk", flat=True))

    assert refresh_facts(deployment.service_id, AT) == 0
    assert list(ExecutionFact.objects.order_by("pk").values_list("pk", flat=True)) == facts


def test_a_watch_window_that_ends_needs_no_writing(deployment):
    promotion = make_promotion(
        deployment.release,
        deployment.environment,
        state=State.SUCCEEDED,
        at=NOW,
        started_at=NOW,
        ended_at=NOW + timedelta(hours=1),
    )
    Deployment.objects.filter(pk=deployment.pk).update(promotion=promotion)
    refresh_stale(NOW + timedelta(hours=3))

    assert find_stale(NOW + timedelta(days=2)) == []


def test_a_made_up_history_has_its_facts_and_lies_in_no_database_that_holds_something():
    call_command("load_synthetic", "--deployments", "300", "--services", "2", stdout=StringIO())

    assert Deployment.objects.count() >= 250
    assert ExecutionFact.objects.filter(environment="production").exists()
    told = StringIO()
    call_command("recompute", "--check", stdout=told)
    assert told.getvalue() == "No difference in 2 services.\n"
    with pytest.raises(CommandError, match="Nothing was loaded"):
        call_command("load_synthetic", "--deployments", "300", stdout=StringIO())
