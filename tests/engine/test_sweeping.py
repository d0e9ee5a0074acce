"""The sweep: as many queries whatever waits, answered from an index, and hints that give way to others."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from promotion import tasks
from promotion.models import Promotion
from promotion.rules.states import State
from tests.factories import make_environment, make_promotion, make_release, make_service

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


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
