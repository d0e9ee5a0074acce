"""Whether the process lives, and whether it can work."""

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from promotion.api import health


class AnsweringBroker:
    """Stands for the broker, which is outside."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def ping(self):
        return True


@pytest.fixture
def broker(monkeypatch):
    """A broker that answers."""
    asked = []

    def connect(url, **_):
        asked.append(url)
        return AnsweringBroker()

    monkeypatch.setattr(health.redis.Redis, "from_url", connect)
    return asked


def test_a_process_that_answers_lives_without_asking_the_database(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.content == b"ok"


@pytest.mark.django_db
def test_it_is_ready_when_database_and_broker_answer(client, broker, settings):
    settings.CELERY_BROKER_URL = "redis+socket:///tmp/broker.sock"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "broker": True}
    assert broker == ["unix:///tmp/broker.sock"]


@pytest.mark.django_db
def test_it_is_not_ready_without_a_broker_and_says_so(client, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": True, "broker": False}


@pytest.mark.django_db
def test_it_is_not_ready_without_a_database_and_says_so(client, broker, monkeypatch):
    def refuse():
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", refuse)
    assert client.get("/readyz").json() == {"database": False, "broker": True}


def test_health_is_only_read():
    assert Client().post("/healthz").status_code == 405
