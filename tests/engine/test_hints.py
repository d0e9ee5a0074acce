"""The broker carries hints only: out of reach it costs seconds, never what was recorded."""

from kombu import Connection

from promotion import tasks


def test_a_hint_that_cannot_be_sent_is_let_go_and_breaks_nothing():
    nobody = Connection("redis://127.0.0.1:1/0", transport_options={"socket_connect_timeout": 1})
    assert tasks.process.apply_async(args=(1,), connection=nobody) is None
