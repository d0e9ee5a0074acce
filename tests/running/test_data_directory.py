"""The data directory: private, used by one launcher, its keys made once."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.data_directory import create_data_directory, keep_secrets, lock_data_directory
from launch.messages import LaunchError

PROJECT = Path(__file__).resolve().parent.parent.parent


def say_nothing(text: str) -> None:
    """Nobody listens."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    create_data_directory(directory)
    return directory


@pytest.fixture
def other_launcher(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the directory, with a child that inherited the lock."""
    script = (
        "import pathlib, subprocess, sys, time\n"
        "from launch.data_directory import lock_data_directory\n"
        "lock = lock_data_directory(pathlib.Path(sys.argv[1]), print)\n"
        "child = subprocess.Popen(['sleep', '1'], pass_fds=(lock.processes,))\n"
        "print('locked', flush=True)\n"
        "child.wait(); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(data)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_directory_and_its_keys_are_for_their_owner_only(data: Path) -> None:
    keep_secrets(data)
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_the_keys_are_made_once(data: Path) -> None:
    assert keep_secrets(data) == keep_secrets(data)


def test_each_directory_has_keys_of_its_own(data: Path, tmp_path: Path) -> None:
    create_data_directory(tmp_path / "other")
    assert keep_secrets(data) != keep_secrets(tmp_path / "other")


def test_the_encryption_key_is_one_that_fernet_takes(data: Path) -> None:
    assert len(base64.urlsafe_b64decode(keep_secrets(data).encryption_keys)) == 32


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"SECRET_KEY": "x"})])
def test_unreadable_keys_are_told_and_not_replaced(data: Path, text: str) -> None:
    (data / "secrets.json").write_text(text)
    with pytest.raises(LaunchError, match="restore the file from a copy"):
        keep_secrets(data)
    assert (data / "secrets.json").read_text() == text


def test_a_directory_under_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LaunchError, match=r"cannot be written to .*--data"):
        create_data_directory(tmp_path / "file" / "data")


def test_a_directory_without_room_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("launch.data_directory.ENOUGH_BYTES", 2**80)
    with pytest.raises(LaunchError, match="is full"):
        create_data_directory(tmp_path / "data")


def test_a_directory_that_another_launcher_uses_is_told_at_once(
    data: Path, other_launcher: subprocess.Popen[str]
) -> None:
    with pytest.raises(LaunchError, match=rf"run\.py \(process {other_launcher.pid}\) is already"):
        lock_data_directory(data, say_nothing)


def test_a_new_launcher_waits_for_the_processes_of_a_killed_one(
    data: Path, other_launcher: subprocess.Popen[str]
) -> None:
    other_launcher.kill()
    other_launcher.wait()
    said: list[str] = []
    lock_data_directory(data, said.append).release()
    assert said == ["Waiting for the processes of an earlier run to end"]


def test_a_directory_that_was_let_go_can_be_taken_again(data: Path) -> None:
    lock_data_directory(data, say_nothing).release()
    lock = lock_data_directory(data, say_nothing)
    assert (data / "launcher.lock").read_text() == str(os.getpid())
    lock.release()
