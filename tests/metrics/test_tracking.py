"""Since when a measure is tracked: the first fact that was told in time."""

from datetime import timedelta

import pytest

from metrics.facts import tracked_since
from promotion.models import Build, Event
from tests.factories import (
    NOW,
    digest_of,
    make_build,
    make_environment,
    make_observation,
    make_service,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def make_backfilled_build(service, at):
    event = Event.objects.create(
        source="github", delivery_id=str(at), body=b"{}", received_at=at, is_backfilled=True
    )
    build = make_build(service, finished_at=at)
    Build.objects.filter(pk=build.pk).update(event=event)


def test_nothing_is_tracked_where_nothing_is_known():
    assert tracked_since() is None


def test_what_was_backfilled_or_told_too_late_is_not_tracked():
    service = make_service()
    make_backfilled_build(service, NOW - 90 * DAY)
    late = make_build(service, finished_at=NOW - 60 * DAY)
    Build.objects.filter(pk=late.pk).update(received_at=NOW)
    assert tracked_since() is None


def test_the_earliest_fact_told_in_time_says_since_when():
    service = make_service()
    make_backfilled_build(service, NOW - 90 * DAY)
    make_build(service, finished_at=NOW - 2 * DAY)
    seen_at = NOW - 3 * DAY
    make_observation(service, make_environment(), digest_of("1"), at=seen_at)
    assert tracked_since() == seen_at


def test_each_service_is_tracked_since_its_own_first_fact():
    first, second = make_service("first"), make_service("second")
    make_build(first, finished_at=NOW - 2 * DAY)
    make_build(second, finished_at=NOW - DAY)
    assert tracked_since([second.pk]) == NOW - DAY
