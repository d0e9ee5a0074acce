"""Who is told what when a promotion moves, through the actions that move it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from promotion.actions.approve import Choice, decide
from promotion.actions.break_glass import Emergency, break_glass
from promotion.actions.cancel import cancel_promotion
from promotion.actions.finish import finish_promotion
from promotion.actions.freeze import Scope, freeze, lift_freeze
from promotion.actions.read_notices import choices_of, choose
from promotion.actions.tell import News, tell, telling_nobody
from promotion.actions.watch import find_stuck, tell_of_freezes, tell_of_overdue_reviews
from promotion.models import (
    Approval,
    Freeze,
    NoticeKind,
    Notification,
    NotificationDelivery,
    Promotion,
    Role,
)
from promotion.rules.states import State
from tests.factories import make_person, make_promotion, make_team
from tests.parts.promotion_story import HOUR, NOW

pytestmark = pytest.mark.django_db
Decision = Approval.Decision


def told(kind):
    """Who was told of it, by name."""
    rows = Notification.objects.filter(kind=kind)
    return sorted(rows.values_list("person__username", flat=True))


def sentences(person, kind):
    rows = Notification.objects.filter(person=person, kind=kind).order_by("pk")
    return [row.sentence for row in rows]


def test_those_who_can_still_approve_are_told_once_however_often_it_is_looked_at(story):
    promotion = story.ask()
    for minute in range(5):
        story.look(promotion, NOW + timedelta(minutes=minute))
    assert told(NoticeKind.WAITING) == sorted(
        [story.ines.username, story.priya.username, story.daniel.username]
    )
    notice = Notification.objects.filter(person=story.ines).get()
    assert notice.link == f"/promotions/{promotion.pk}/"
    assert notice.promotion == promotion
    assert notice.sentence == (
        f"{promotion.number} (shipment-api 4.18.0 to Production) waits for your approval."
    )


def test_who_has_approved_is_not_told_again_while_others_still_must(story):
    promotion = story.ask()
    story.approve(promotion, story.ines)
    assert len(sentences(story.ines, NoticeKind.WAITING)) == 1


def test_what_no_longer_waits_for_somebody_is_not_left_unread_with_them(story):
    promotion = story.ask()
    story.approve(promotion, story.ines)
    unread = Notification.objects.unread().filter(kind=NoticeKind.WAITING)
    assert not unread.filter(person=story.ines).exists()
    assert unread.filter(person=story.priya).exists()
    cancel_promotion(promotion.pk, person=story.tomasz, reason="", at=NOW)
    assert not unread.exists()


def test_who_withdrew_is_told_again_because_it_waits_for_them_again(story):
    promotion = story.ask()
    story.approve(promotion, story.ines)
    withdrawal = Choice(Decision.WITHDRAW, promotion.content_hash, "Wait for the load test.")
    decide(promotion.pk, withdrawal, person=story.ines, at=NOW)
    story.look(promotion, NOW)
    story.look(promotion, NOW + HOUR)
    assert len(sentences(story.ines, NoticeKind.WAITING)) == 2
    assert len(sentences(story.priya, NoticeKind.WAITING)) == 1


def test_who_asked_is_told_of_every_decision_of_somebody_else(story):
    promotion = story.ask()
    story.approve(promotion, story.ines)
    assert sentences(story.tomasz, NoticeKind.DECIDED) == [
        f"{story.ines.name} approved {promotion.number} (shipment-api 4.18.0 to Production)."
    ]
    rejection = Choice(Decision.REJECT, promotion.content_hash, "Not before the audit.")
    decide(promotion.pk, rejection, person=story.priya, at=NOW)
    assert sentences(story.tomasz, NoticeKind.DECIDED)[1].endswith(
        f"{story.priya.name} rejected it: Not before the audit."
    )


def test_who_cancels_their_own_request_is_told_nothing(story):
    promotion = story.ask()
    cancel_promotion(promotion.pk, person=story.tomasz, reason="", at=NOW)
    assert not Notification.objects.filter(person=story.tomasz).exists()


def test_who_asked_hears_that_it_runs_and_that_it_succeeded(story):
    promotion = story.ask()
    story.start(promotion)
    assert told(NoticeKind.RUNNING) == [story.tomasz.username]
    finish_promotion(promotion, State.SUCCEEDED, reason="Done.", at=NOW)
    assert told(NoticeKind.SUCCEEDED) == [story.tomasz.username]


def test_of_a_failure_hear_who_asked_who_wrote_it_and_who_approved_it(story):
    promotion = story.ask()
    story.start(promotion)
    finish_promotion(promotion, State.FAILED, reason="The probe said 500.", at=NOW)
    names = told(NoticeKind.FAILED)
    assert {story.tomasz.username, story.ines.username, story.priya.username} <= set(names)
    assert story.daniel.username not in names
    assert len(names) == len(set(names))
    assert "The probe said 500." in sentences(story.ines, NoticeKind.FAILED)[0]


def _cancel_and_break(promotion, person):
    cancel_promotion(promotion.pk, person=person, reason="", at=NOW)
    raise RuntimeError


def test_what_is_told_stands_or_falls_with_the_move(story):
    promotion = story.ask()
    with pytest.raises(RuntimeError), transaction.atomic():
        _cancel_and_break(promotion, story.ines)
    assert not told(NoticeKind.DECIDED)


def test_a_choice_against_a_kind_is_respected(story):
    chosen = {**choices_of(story.ines), NoticeKind.WAITING: (False, False)}
    choose(story.ines, chosen, at=NOW)
    story.ask()
    assert story.ines.username not in told(NoticeKind.WAITING)
    assert story.priya.username in told(NoticeKind.WAITING)


def test_mail_is_written_only_for_those_who_chose_it_and_only_where_it_is_set_up(story, settings):
    settings.MAIL_IS_SET_UP = False
    story.ask()
    assert not NotificationDelivery.objects.exists()
    settings.MAIL_IS_SET_UP = True
    choose(story.priya, {**choices_of(story.priya), NoticeKind.FAILED: (True, False)}, at=NOW)
    promotion = Promotion.objects.get()
    story.start(promotion)
    finish_promotion(promotion, State.FAILED, reason="The probe said 500.", at=NOW)
    mailed = NotificationDelivery.objects.values_list("person__username", "kind")
    assert (story.ines.username, NoticeKind.FAILED) in mailed
    assert (story.priya.username, NoticeKind.FAILED) not in mailed


def test_telling_costs_no_more_queries_however_many_are_told(story, settings):
    settings.MAIL_IS_SET_UP = True

    def cost(people, key):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            tell(people, News(NoticeKind.ANOMALY, key, "It is unusual.", "/measures/"), at=NOW)
        return len(queries)

    few = cost([story.ines], "a")
    many = cost([make_person(f"person{number}") for number in range(20)], "b")
    assert many == few <= 8


def test_a_look_that_changes_nothing_asks_and_writes_nothing_about_notifications(story):
    promotion = story.ask()
    with CaptureQueriesContext(connection) as queries:
        story.look(promotion, NOW)
    assert not [one for one in queries if "notification" in one["sql"].lower()]


def test_metrics_can_tell_people_of_what_it_found_once(story):
    news = News(
        NoticeKind.ANOMALY, "lead-time:2026-11", "Lead time rose.", "/measures/lead-time/",
        service=story.service,
    )  # fmt: skip
    tell([story.ines, story.ines], news, at=NOW)
    tell([story.ines], news, at=NOW + HOUR)
    assert sentences(story.ines, NoticeKind.ANOMALY) == ["Lead time rose."]


def test_replayed_history_is_news_to_nobody(story):
    with telling_nobody():
        story.ask()
    assert not Notification.objects.exists()


def make_succeeded(story, minutes):
    for number, length in enumerate(minutes):
        begun = NOW - timedelta(days=number + 2)
        make_promotion(
            story.old, story.production, state=State.SUCCEEDED, at=begun,
            started_at=begun, ended_at=begun + timedelta(minutes=length),
        )  # fmt: skip


def test_a_promotion_that_outlasts_99_of_100_of_its_kind_is_said_to_be_stuck_once(story):
    make_succeeded(story, [10, 11, 12, 13, 14, 15, 16, 20])
    promotion = story.ask()
    story.start(promotion, at=NOW)
    assert find_stuck(at=NOW + timedelta(minutes=20)) == 0
    assert find_stuck(at=NOW + timedelta(minutes=21)) == 1
    assert find_stuck(at=NOW + timedelta(minutes=22)) == 1
    assert story.tomasz.username in told(NoticeKind.STUCK)
    assert story.viewer.username not in told(NoticeKind.STUCK)
    assert sentences(story.tomasz, NoticeKind.STUCK) == [
        f"{promotion.number} (shipment-api 4.18.0 to Production) has run for 21 min; 99 of 100 like"
        " it take at most 20 min."
    ]


def test_below_eight_of_its_kind_nothing_is_said_to_be_stuck(story):
    make_succeeded(story, [1] * 7)
    story.start(story.ask(), at=NOW)
    assert find_stuck(at=NOW + timedelta(days=3)) == 0
    assert not told(NoticeKind.STUCK)


def test_looking_for_the_stuck_costs_the_same_however_many_run(story):
    make_succeeded(story, [10] * 8)
    story.start(story.ask(), at=NOW)
    find_stuck(at=NOW + HOUR)
    with CaptureQueriesContext(connection) as queries:
        find_stuck(at=NOW + HOUR)
    assert len(queries) == 3


def test_a_freeze_tells_those_with_a_role_in_its_scope_when_it_begins_and_is_lifted(story):
    made = freeze(Scope(service=story.service), person=story.ines, reason="Peak season", at=NOW)
    names = told(NoticeKind.FREEZE_BEGINS)
    assert story.tomasz.username in names
    assert story.viewer.username not in names
    assert story.ines.username not in names
    lift_freeze(made.pk, person=story.priya, at=NOW + HOUR)
    assert story.ines.username in told(NoticeKind.FREEZE_ENDS)
    assert story.priya.username not in told(NoticeKind.FREEZE_ENDS)


def test_a_freeze_that_ends_by_its_time_tells_so_once(story):
    freeze(
        Scope(environment=story.production), person=story.ines, reason="Peak", at=NOW,
        ends_at=NOW + HOUR,
    )  # fmt: skip
    assert tell_of_freezes(at=NOW + timedelta(minutes=59)) == 0
    assert tell_of_freezes(at=NOW + HOUR) == 1
    assert tell_of_freezes(at=NOW + HOUR) == 0
    assert sentences(story.ines, NoticeKind.FREEZE_ENDS) == [
        "Production is no longer frozen. Its time is over."
    ]


def test_a_freeze_that_begins_later_tells_when_it_begins(story):
    Freeze.objects.create(
        reason="Peak", starts_at=NOW + HOUR, ends_at=NOW + 3 * HOUR, created_by=story.ines
    )
    assert tell_of_freezes(at=NOW) == 0
    assert tell_of_freezes(at=NOW + HOUR) == 1
    assert sentences(story.tomasz, NoticeKind.FREEZE_BEGINS)[0].startswith("Everything is frozen")


def test_a_broken_glass_and_its_overdue_review_tell_those_who_may_review(story):
    promotion = story.ask()
    story.tomasz.user_permissions.add(Permission.objects.get(codename="break_glass"))
    emergency = Emergency(promotion.content_hash, "Customers cannot ship", "https://inc.example/7")
    glass = break_glass(promotion.pk, emergency, person=story.tomasz, at=NOW)
    names = told(NoticeKind.EMERGENCY)
    assert story.ines.username in names
    assert story.tomasz.username not in names
    assert tell_of_overdue_reviews(at=glass.review_due_at + HOUR) == 1
    assert tell_of_overdue_reviews(at=glass.review_due_at + HOUR) == 0
    assert len(sentences(story.ines, NoticeKind.EMERGENCY)) == 2


def test_people_outside_the_team_hear_of_no_freeze_of_it(story):
    other = make_person("olga", Role.MEMBER, team=make_team("billing"))
    freeze(Scope(team=story.service.team), person=story.ines, reason="Peak", at=NOW)
    assert other.username not in told(NoticeKind.FREEZE_BEGINS)
