"""The command that runs vector files."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from metrics.management.commands.check_vectors import check_paths

GOOD = {
    "kind": "transitions",
    "name": "a good one",
    "given": {"from": "pending", "to": "waiting"},
    "expect": {"allowed": True},
}
WRONG = {**GOOD, "name": "a wrong one", "expect": {"allowed": False}}


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def run(*paths: Path) -> tuple[list[str], int]:
    output, code = StringIO(), 0
    try:
        call_command("check_vectors", *map(str, paths), stdout=output)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return output.getvalue().splitlines(), code


def test_one_line_a_case_and_the_sums_last(tmp_path: Path) -> None:
    lines, code = run(write(tmp_path / "cases.json", [GOOD, WRONG]))
    assert lines == [
        "pass transitions a good one",
        "FAIL transitions a wrong one: allowed is True, expected False",
        "1 passed, 1 failed",
    ]
    assert code == 1


def test_all_passed_is_exit_0_and_one_object_is_a_file(tmp_path: Path) -> None:
    lines, code = run(write(tmp_path / "case.json", GOOD))
    assert (lines[-1], code) == ("1 passed, 0 failed", 0)


def test_directories_are_searched_through(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below" / "case.json", GOOD)
    write(tmp_path / "note.txt", "no case")
    assert run(tmp_path)[0][-1] == "1 passed, 0 failed"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cannot be read"),
        ([], "no case"),
        ([1], "must be a JSON object"),
        ({"kind": "weather", "name": "x"}, "no kind 'weather'"),
        ({"kind": ["x"], "name": "x"}, "no kind"),
        ({**GOOD, "given": {}}, "KeyError"),
        ({**GOOD, "given": None}, "TypeError"),
        ({**GOOD, "given": {"from": "nowhere", "to": "waiting"}}, "nowhere"),
        ({"kind": "transitions", "given": GOOD["given"]}, "KeyError"),
    ],
)
def test_what_is_malformed_is_one_failed_case_on_one_line(
    tmp_path: Path, content: Any, words: str
) -> None:
    lines, code = run(write(tmp_path / "case.json", content))
    assert len(lines) == 2
    assert words in lines[0]
    assert (lines[1], code) == ("0 passed, 1 failed", 1)


def test_a_missing_file_is_a_failed_case_and_the_others_still_run(tmp_path: Path) -> None:
    lines, code = run(tmp_path / "none.json", write(tmp_path / "case.json", GOOD))
    assert (lines[-1], code) == ("1 passed, 1 failed", 1)


def test_a_line_break_in_a_name_stays_on_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "case.json", {**GOOD, "name": "two\nlines"})
    [outcome] = check_paths([file], None)
    assert outcome.line() == "pass transitions two lines"
