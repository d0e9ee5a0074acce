"""`run.py test` names what it cannot test, and in CI refuses to leave anything out."""

import socket

import pytest

from launch import testing
from launch.messages import LaunchError
from launch.testing import (
    NEEDED_PROGRAMS,
    NeededProgram,
    check_given_services,
    find_missing_programs,
    leave_out_marked,
    run_tests,
)

MISSING = NeededProgram("Nowhere", ("no-such-program",), "needs_nowhere", "what is nowhere")
PRESENT = NeededProgram("Shell", ("no-such-program", "sh"), "needs_shell", "shells")


def test_a_program_is_missing_when_none_of_its_spellings_is_on_the_path() -> None:
    assert find_missing_programs((MISSING, PRESENT)) == [MISSING]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["-m", "not needs_nowhere"]),
        (["-x", "tests/a"], ["-m", "not needs_nowhere", "-x", "tests/a"]),
        (["-m", "slow", "-x"], ["-m", "(slow) and not needs_nowhere", "-x"]),
        (["-mslow or quick"], ["-m", "(slow or quick) and not needs_nowhere"]),
        (["-m", "a", "-m", "b"], ["-m", "(b) and not needs_nowhere"]),
        (["--maxfail=1"], ["-m", "not needs_nowhere", "--maxfail=1"]),
    ],
)
def test_tests_of_a_missing_program_are_left_out_beside_any_other_choice(
    given: list[str], expected: list[str]
) -> None:
    assert leave_out_marked(given, [MISSING]) == expected


def test_with_every_program_the_arguments_stay_as_they_are() -> None:
    assert leave_out_marked(["-m", "slow"], []) == ["-m", "slow"]


def test_in_ci_a_missing_program_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(testing, "find_missing_programs", lambda: [MISSING])
    with pytest.raises(LaunchError, match="this machine lacks Nowhere; install them") as refused:
        run_tests([])
    assert refused.value.exit_code == 2
    assert "Without Nowhere: no tests of what is nowhere." in capsys.readouterr().out


def test_every_needed_program_has_a_marker_that_pytest_knows(
    request: pytest.FixtureRequest,
) -> None:
    known = {line.partition(":")[0] for line in request.config.getini("markers")}
    assert {program.marker for program in NEEDED_PROGRAMS} <= known


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_database_that_does_not_answer_is_named(unused_port: int) -> None:
    with pytest.raises(LaunchError, match=f"PostgreSQL does not answer at localhost:{unused_port}"):
        check_given_services({"DATABASE_URL": f"postgres://ci@localhost:{unused_port}/ci"})


def test_a_redis_that_does_not_answer_is_named_without_its_password(unused_port: int) -> None:
    url = f"redis://:hidden@127.0.0.1:{unused_port}/5"
    with pytest.raises(LaunchError, match=f"Redis does not answer at 127.0.0.1:{unused_port}") as e:
        check_given_services({"REDIS_URL": url})
    assert "hidden" not in e.value.sentence
