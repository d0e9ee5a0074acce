"""`normalise` shows what a payload becomes and says in one line why it cannot be read."""

import io
import json
from pathlib import Path

import pytest

from promotion.management.commands.normalise import Command

FIXTURES = Path(__file__).parents[1] / "fixtures"


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    command = Command(stdout=out, stderr=err, no_color=True)
    options = vars(command.create_parser("manage.py", "normalise").parse_args(arguments))
    try:
        command.handle(**options)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_facts_are_printed_without_what_is_absent() -> None:
    file = str(FIXTURES / "github/deployment_status.json")
    code, out, _ = run("--source", "github", "--header", "x-github-event: deployment_status", file)
    answer = json.loads(out)
    assert code == 0
    assert answer["notes"] == []
    assert answer["facts"][0]["finished_at"] == "2019-05-15T15:20:55Z"
    assert "digest" not in answer["facts"][0]


def test_no_fact_is_no_failure() -> None:
    file = str(FIXTURES / "github/ping.json")
    code, out, _ = run("--source", "github", "--header", "X-GitHub-Event: ping", file)
    assert code == 0
    assert json.loads(out)["facts"] == []
    assert "ping" in json.loads(out)["notes"][0]


def test_the_body_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    body = io.BytesIO(b'{"kind": "build", "external_id": "\xc3\xa9"}')
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(body))
    code, out, _ = run("--source", "generic", "-")
    assert code == 0
    assert json.loads(out)["facts"] == [{"kind": "build", "external_id": "\u00e9"}]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--source", "pigeon", str(FIXTURES / "github/ping.json")], "no source called pigeon"),
        (["--source", "github", str(FIXTURES / "absent.json")], "cannot be read"),
        (["--source", "github", str(FIXTURES)], "cannot be read"),
        (["--source", "github", __file__], "not JSON"),
        (["--source", "github", "--header", "nonsense", __file__], "'Name: value'"),
    ],
)
def test_unreadable_input_ends_with_two_and_one_line(arguments: list[str], why: str) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert why in err
    assert err.count("\n") == 1
