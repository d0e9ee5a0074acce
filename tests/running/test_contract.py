"""The variables that the processes are given: defaults of an instance, and what stands."""

from pathlib import Path

import pytest

from launch.contract import (
    Running,
    describe_environment,
    find_local_host,
    forget_running,
    format_address,
    read_running,
    write_running,
)
from launch.data_directory import Secrets

DATA = Path("/srv/throughline")
SECRETS = Secrets("signing", "encrypting")
RUNNING = Running("unix:///srv/throughline/redis/redis.sock", "http://127.0.0.1:8000")


def describe(given: dict[str, str], **more: object) -> dict[str, str]:
    return describe_environment(DATA, SECRETS, RUNNING, given=given, **more)  # type: ignore[arg-type]


def test_an_instance_of_its_own_has_its_own_keys_and_broker_and_sqlite() -> None:
    environment = describe({})
    assert environment["SECRET_KEY"] == "signing"
    assert environment["THROUGHLINE_ENCRYPTION_KEYS"] == "encrypting"
    assert environment["REDIS_URL"] == RUNNING.redis_url
    assert environment["THROUGHLINE_DATA"] == str(DATA)
    assert not {"DATABASE_URL", "DEBUG"} & set(environment)


def test_what_is_given_from_outside_stands() -> None:
    given = {
        "SECRET_KEY": "theirs",
        "DATABASE_URL": "postgres://db/throughline",
        "REDIS_URL": "redis://queue:6379/0",
        "THROUGHLINE_URL": "https://throughline.example.org",
    }
    environment = describe(given)
    assert {name: environment[name] for name in given} == given


def test_an_empty_variable_counts_as_not_given() -> None:
    assert describe({"SECRET_KEY": ""})["SECRET_KEY"] == "signing"


def test_the_demonstration_is_shown_only_where_it_is_loaded() -> None:
    assert describe({}, is_demo=True)["THROUGHLINE_DEMO"] == "1"
    assert describe({})["THROUGHLINE_DEMO"] == ""


def test_the_pages_answer_to_the_given_names_the_public_one_and_loopback() -> None:
    given = {"ALLOWED_HOSTS": "one.example.org", "THROUGHLINE_URL": "https://two.example.org"}
    hosts = describe(given, host="192.0.2.7")["ALLOWED_HOSTS"].split(",")
    assert hosts == [
        "one.example.org",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "two.example.org",
        "192.0.2.7",
    ]


def test_listening_on_every_address_answers_to_the_name_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "build-7")
    monkeypatch.setattr("socket.getfqdn", lambda: "build-7.example.org")
    hosts = describe({}, host="0.0.0.0")["ALLOWED_HOSTS"].split(",")
    assert {"build-7", "build-7.example.org"} <= set(hosts)
    assert "0.0.0.0" not in hosts


@pytest.mark.parametrize(
    ("host", "local", "address"),
    [
        ("0.0.0.0", "127.0.0.1", "127.0.0.1:80"),
        ("::", "::1", "[::1]:80"),
        ("::1", "::1", "[::1]:80"),
        ("example.org", "example.org", "example.org:80"),
    ],
)
def test_an_address_is_written_as_a_url_wants_it(host: str, local: str, address: str) -> None:
    assert find_local_host(host) == local
    assert format_address(local, 80) == address


def test_a_running_instance_leaves_word_for_other_commands(tmp_path: Path) -> None:
    assert read_running(tmp_path) is None
    write_running(tmp_path, RUNNING)
    assert read_running(tmp_path) == RUNNING
    forget_running(tmp_path)
    assert read_running(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"other": 1}'])
def test_a_word_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "running.json").write_text(text)
    assert read_running(tmp_path) is None
