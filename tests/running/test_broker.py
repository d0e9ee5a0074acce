"""The embedded Redis, and what takes its place where there is none."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from launch import broker as brokers
from launch.broker import LONGEST_SOCKET_PATH, Broker, answers_ping, choose_broker, find_socket
from launch.messages import LaunchError

PROJECT = Path(__file__).resolve().parent.parent.parent

Serve = Callable[[Broker], subprocess.Popen[bytes]]


def ignore(text: str) -> None:
    """Nobody listens."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(broker: Broker) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(broker.command, cwd=PROJECT, stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + 20
        while not broker.is_up():
            assert time.monotonic() < deadline, "the broker did not answer"
            time.sleep(0.02)
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_what_the_embedded_redis_took_is_there_after_a_restart(
    serve: Serve, tmp_path: Path
) -> None:
    broker = choose_broker(tmp_path, Path(sys.executable), ignore)
    assert broker.url == f"unix://{tmp_path}/redis/redis.sock"
    first = serve(broker)
    Redis.from_url(broker.url).rpush("celery", "one", "two")
    first.terminate()
    assert first.wait(20) == 0
    assert not broker.is_up()
    serve(broker)
    assert Redis.from_url(broker.url).lrange("celery", 0, -1) == [b"one", b"two"]


def test_the_embedded_redis_listens_on_no_port_and_to_its_owner_only(
    serve: Serve, tmp_path: Path
) -> None:
    broker = choose_broker(tmp_path, Path(sys.executable), ignore)
    serve(broker)
    assert Redis.from_url(broker.url).config_get("port") == {"port": "0"}
    assert find_socket(tmp_path).stat().st_mode & 0o077 == 0


def test_a_redis_on_the_path_serves_where_none_is_packaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(brokers, "ENVIRONMENT", tmp_path / "nowhere")
    (tmp_path / "redis-server").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    broker = choose_broker(tmp_path, Path(sys.executable), ignore)
    assert broker.command[0] == str(tmp_path / "redis-server")


def test_without_any_redis_a_loopback_server_takes_its_place_and_says_so(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(brokers, "ENVIRONMENT", tmp_path / "nowhere")
    monkeypatch.setattr("shutil.which", lambda name: None)
    said: list[str] = []
    broker = choose_broker(tmp_path, Path(sys.executable), said.append)
    assert "There is no Redis for this machine" in said[0]
    process = serve(broker)
    client = Redis.from_url(broker.url)
    client.lpush("celery", "one")
    assert client.brpop(["celery"], 5) == (b"celery", b"one")
    client.close()
    process.terminate()
    assert process.wait(20) == 0


def test_a_path_too_long_for_a_socket_is_replaced_by_a_short_private_one(
    serve: Serve, tmp_path: Path
) -> None:
    data = tmp_path / ("long" * 30)
    data.mkdir()
    said: list[str] = []
    broker = choose_broker(data, Path(sys.executable), said.append)
    listening = find_socket(data)
    assert len(os.fsencode(listening)) <= LONGEST_SOCKET_PATH
    assert listening.parent.stat().st_mode & 0o777 == 0o700
    assert "too long for a socket" in said[0]
    serve(broker)
    assert broker.is_up()
    listening.unlink()
    listening.parent.rmdir()


def test_a_short_directory_that_others_can_enter_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(brokers, "LONGEST_SOCKET_PATH", 10)
    find_socket(tmp_path).parent.mkdir()
    find_socket(tmp_path).parent.chmod(0o755)
    with pytest.raises(LaunchError, match="is not this user's alone"):
        choose_broker(tmp_path, Path(sys.executable), ignore)


def test_nothing_answers_where_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not answers_ping(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
    assert not answers_ping(f"unix://{tmp_path}/redis.sock")
