"""What `run.py` refuses, each in one sentence, and how it hands over."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.command_line import check_port, read_options
from launch.messages import LaunchError, describe_os_error
from run import describe_unfit_python

PROJECT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`run.py` with these arguments, which are to be refused at once."""
    return subprocess.run(
        [sys.executable, str(PROJECT / "run.py"), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("version", "found"), [((3, 8), "3.8"), ((3, 10), "3.10"), ((2, 7), "2.7")]
)
def test_too_old_a_python_is_told_in_one_sentence(version: tuple[int, int], found: str) -> None:
    sentence = describe_unfit_python(version, "posix")
    assert sentence == f"Throughline needs Python 3.11 or newer; this is {found}."


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (4, 0)])
def test_a_new_enough_python_is_fit(version: tuple[int, int]) -> None:
    assert describe_unfit_python(version, "posix") is None


def test_windows_is_told_where_throughline_runs() -> None:
    assert "inside WSL" in (describe_unfit_python((3, 13), "nt") or "")


def test_the_entry_keeps_to_what_an_old_python_can_parse() -> None:
    text = (PROJECT / "run.py").read_text()
    compile(text, "run.py", "exec", dont_inherit=True)
    newer = ["match ", ":=", ' f"', "(f'", "type "]
    assert [mark for mark in newer if mark in text.partition("import os")[2]] == []
    assert "from launch" not in text.partition("def main")[0]


def test_a_busy_port_is_named_before_anything_is_made(busy_port: int, tmp_path: Path) -> None:
    data = tmp_path / "data"
    ran = run("--port", str(busy_port), "--data", str(data))
    assert ran.returncode == 2
    assert ran.stderr == (f"Port {busy_port} is already in use; choose another one with --port.\n")
    assert not data.exists()


def test_an_address_that_is_not_this_machines_is_named() -> None:
    with pytest.raises(LaunchError, match=r"The address 192\.0\.2\.1 cannot be listened on"):
        check_port("192.0.2.1", 8000)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run("--port", str(find_free_port()), "--data", str(tmp_path / "file" / "data"))
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"The data directory {tmp_path}/file/data cannot be written to")
    assert ran.stderr.count("\n") == 1


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_that_no_machine_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(["--port", "70000"])
    assert ended.value.code == 2
    assert "--port must lie between 1 and 65535, not be 70000." in capsys.readouterr().err


def test_the_data_directory_lies_beside_the_entry_unless_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("THROUGHLINE_DATA", raising=False)
    assert read_options([]).data == PROJECT / "data"
    monkeypatch.setenv("THROUGHLINE_DATA", str(tmp_path))
    assert read_options([]).data == tmp_path
    assert read_options(["--data", str(tmp_path / "other")]).data == tmp_path / "other"


def test_a_full_disk_is_told_in_one_sentence() -> None:
    error = OSError(28, os.strerror(28), "/data/logs/web.log")
    assert describe_os_error(error) == (
        "The disk is full while writing /data/logs/web.log; free some space and start again."
    )


def test_a_sigterm_before_the_start_is_complete_ends_without_a_traceback(tmp_path: Path) -> None:
    script = (
        "import os, signal, launch.command_line as line\n"
        "line.check_port = lambda host, port: os.kill(os.getpid(), signal.SIGTERM)\n"
        f"raise SystemExit(line.run(['--data', {str(tmp_path / 'data')!r}]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], check=False, cwd=PROJECT, capture_output=True, text=True
    )
    assert ran.returncode == 130
    assert ran.stderr == "Stopped before it was ready.\n"
