"""The sweep: as many queries whatever waits, answered from an index, and hints that give way to others."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from promotion import tasks
from promotion.actions.evaluate import evaluate_gates
from promotion.actions.finish import wake_service
from promotion.actions.outcome import record_outcome
from promotion.models import Promotion, StepRun
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from tests.factories import (
    NOW,
    make_environment,
    make_promotion,
    make_release,
    make_service,
    make_step_run,
)
from tests.parts.promotion_story import tell_story

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = NOW + timedelta(minutes=1)


def make_waiting(count: int, *, due: int) -> None:
    """Promotions in lanes of their own: the first `due` are worth looking at, the others tomorrow."""
    now = timezone.now()
    release = make_release(make_service())
    model = make_promotion(release, make_environment("place"), at=now - DAY)
    rows = []
    for number in range(1, count):
        row = Promotion.objects.get(pk=model.pk) if number == 1 else rows[-1]
        fields = {one.attname: getattr(row, one.attname) for one in Promotion._meta.concrete_fields}
        fields |= {"id": None, "next_look_at": now - DAY if number < due else now + DAY}
        rows.append(Promotion(**fields))
    Promotion.objects.bulk_create(rows)


def make_ended(count: int) -> None:
    """Promotions that ended."""
    Promotion.objects.bulk_create(
        Promotion(**{**fields, "id": None, "state": State.SUCCEEDED.value, "next_look_at": None})
        for fields in list(Promotion.objects.values())[:1] * count
    )


def count_queries() -> int:
    with CaptureQueriesContext(connection) as queries:
        tasks.sweep()
    return len(queries)


def test_it_takes_as_many_queries_for_many_waiting_as_for_few() -> None:
    make_waiting(12, due=10)
    few = count_queries()
    make_waiting(400, due=1)
    assert count_queries() == few <= 4


def test_what_is_due_is_read_from_an_index() -> None:
    make_waiting(1500, due=10)
    make_ended(1500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE promotion_promotion")
    due = Promotion.objects.due(timezone.now()).order_by("next_look_at")
    assert "promotion_due" in due.values_list("pk", flat=True)[:500].explain()
    assert due.count() == 10


def test_who_is_woken_while_its_gates_are_asked_stays_due(monkeypatch: pytest.MonkeyPatch) -> None:
    story = tell_story()
    promotion = story.ask()

    def ask_and_be_woken(*arguments: Any, **named: Any) -> Any:
        results = evaluate_gates(*arguments, **named)
        wake_service(promotion.service_id, LATER)
        return results

    monkeypatch.setattr("promotion.actions.advance.evaluate_gates", ask_and_be_woken)
    story.look(promotion)
    assert promotion.next_look_at == LATER
    monkeypatch.undo()
    story.look(promotion, LATER)
    assert promotion.next_look_at > LATER


def test_a_wait_that_is_woken_while_a_worker_looks_is_looked_at_again_at_once() -> None:
    release, place = make_release(make_service()), make_environment("place")
    promotion = make_promotion(release, place, state=State.RUNNING)
    run = make_step_run(promotion, "wait-for-deployment")
    for woken, due in ((False, NOW + timedelta(seconds=30)), (True, LATER)):
        StepRun.objects.filter(pk=run.pk).update(state="running", lease_until=LATER + DAY)
        seen = StepRun.objects.select_related("promotion").get(pk=run.pk)
        if woken:
            wake_service(promotion.service_id, LATER + timedelta(seconds=1))
        waits = StepResult(Outcome.WAITING, "Not yet.", look_again_in=timedelta(seconds=30))
        record_outcome(seen, waits, at=LATER if woken else NOW)
        run.refresh_from_db()
        assert run.look_again_at == due
