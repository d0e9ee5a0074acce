"""Signing in, being slowed down, and changing one's password."""

from datetime import timedelta

import pytest
import time_machine

from tests.factories import NOW, make_person

pytestmark = pytest.mark.django_db


def try_password(client, password, username="ines"):
    return client.post("/sign-in/", {"username": username, "password": password})


def test_after_five_wrong_passwords_the_right_one_is_not_even_looked_at(client):
    make_person("ines")
    with time_machine.travel(NOW, tick=False):
        for _ in range(5):
            assert try_password(client, "wrong").status_code == 200
        answer = try_password(client, "throughline")
    assert answer.status_code == 200
    assert "Too many tries with this name" in answer.content.decode()


def test_the_administration_is_slowed_down_alike(client):
    make_person("ines", is_staff=True)
    for _ in range(5):
        try_password(client, "wrong")
    answer = client.post("/admin/login/", {"username": "ines", "password": "throughline"})
    assert answer.status_code == 200


def test_waiting_helps(client):
    make_person("ines")
    with time_machine.travel(NOW, tick=False):
        for _ in range(7):
            try_password(client, "wrong")
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        assert try_password(client, "throughline").status_code == 302


def test_others_are_not_slowed_down_by_it(client):
    make_person("ines")
    make_person("tomasz")
    for _ in range(6):
        try_password(client, "wrong")
    assert try_password(client, "throughline", "tomasz").status_code == 302


def test_a_person_changes_their_password_and_stays_signed_in(client):
    person = make_person("ines")
    client.force_login(person)
    assert client.get("/password/").status_code == 200
    words = {
        "old_password": "throughline",
        "new_password1": "a longer phrase 7",
        "new_password2": "a longer phrase 7",
    }
    assert client.post("/password/", words).status_code == 302
    assert client.get("/inbox/").status_code == 200
    person.refresh_from_db()
    assert person.check_password("a longer phrase 7")


def test_a_wrong_old_password_changes_nothing_and_says_so(client):
    person = make_person("ines")
    client.force_login(person)
    words = {
        "old_password": "wrong",
        "new_password1": "a longer phrase 7",
        "new_password2": "a longer phrase 7",
    }
    answer = client.post("/password/", words)
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.content.decode()
