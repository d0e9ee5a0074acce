"""One's own notifications by the API."""

import pytest
from rest_framework.test import APIClient

from promotion.actions.read_notices import choices_of, choose
from promotion.actions.tell import News, tell
from promotion.models import NoticeKind, Notification
from tests.factories import NOW, make_person, make_token

pytestmark = pytest.mark.django_db


def client_of(person, *scopes):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(*scopes, user=person)[1]}")
    return client


def tell_both(count=3):
    people = [make_person("ines"), make_person("ruth")]
    for number in range(count):
        news = News(
            NoticeKind.FAILED, f"k{number}", f"P-{number} failed.", f"/promotions/{number}/"
        )
        tell(people, news, at=NOW)
    return people


def test_a_person_lists_their_own_the_newest_first_with_the_page_that_decides(settings):
    settings.PUBLIC_URL = "https://throughline.example"
    ines, _ = tell_both()
    rows = client_of(ines, "read").get("/api/v1/notifications").json()["results"]
    assert [row["sentence"] for row in rows] == ["P-2 failed.", "P-1 failed.", "P-0 failed."]
    assert rows[0]["url"] == "https://throughline.example/promotions/2/"
    assert rows[0]["read_at"] is None


def test_marking_one_as_read_is_repeatable_and_filters_tell_read_from_unread():
    ines, ruth = tell_both()
    client = client_of(ines, "read")
    pk = Notification.objects.filter(person=ines).first().pk
    first = client.post(f"/api/v1/notifications/{pk}/read").json()
    assert first["read_at"] == client.post(f"/api/v1/notifications/{pk}/read").json()["read_at"]
    unread = client.get("/api/v1/notifications?unread=true").json()["results"]
    assert len(unread) == 2
    assert len(client.get("/api/v1/notifications?unread=false").json()["results"]) == 1
    assert Notification.objects.unread().filter(person=ruth).count() == 3
    assert client.post("/api/v1/notifications/read").json() == {"marked": 2}


def test_what_another_was_told_is_not_found_and_stays_unread():
    ines, ruth = tell_both()
    pk = Notification.objects.filter(person=ruth).first().pk
    assert client_of(ines, "read").post(f"/api/v1/notifications/{pk}/read").status_code == 404
    assert Notification.objects.get(pk=pk).read_at is None


def test_a_token_of_nobody_or_without_the_scope_is_refused():
    ines, _ = tell_both()
    assert client_of(None, "read").get("/api/v1/notifications").status_code == 403
    assert client_of(ines, "events").get("/api/v1/notifications").status_code == 403
    assert client_of(ines, "events").post("/api/v1/notifications/read").status_code == 403


def test_what_the_person_does_not_want_in_the_app_is_not_listed():
    ines = make_person("ines")
    choose(ines, {**choices_of(ines), NoticeKind.FAILED: (False, True)}, at=NOW)
    tell_both()
    assert client_of(ines, "read").get("/api/v1/notifications").json()["results"] == []
