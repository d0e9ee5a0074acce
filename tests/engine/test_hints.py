"""The broker carries hints only: out of reach it costs seconds, never what was recorded."""

import pytest
from kombu import Connection

from config.celery import Hint
from promotion import tasks


@pytest.fixture(autouse=True)
def breaker():
    """Other tests find it as it was."""
    yield
    Hint.silent_until = 0.0


def test_a_hint_that_cannot_be_sent_is_let_go_and_breaks_nothing():
    nobody = Connection("redis://127.0.0.1:1/0", transport_options={"socket_connect_timeout": 1})
    assert tasks.process.apply_async(args=(1,), connection=nobody) is None


def test_after_a_hint_that_could_not_be_sent_the_next_does_not_wait_for_the_broker():
    nobody = Connection("redis://127.0.0.1:1/0", transport_options={"socket_connect_timeout": 1})
    tasks.process.apply_async(args=(1,), connection=nobody)
    used = []
    assert (
        tasks.process.apply_async(args=(2,), connection=used) is None
    )  # would break if it were used
