"""A real registry program on a free port of the loopback, for tests and benchmarks."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PROGRAM = "docker-registry"
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunningRegistry:
    """A registry that answers, and where it keeps its files."""

    address: str
    storage: Path
    pid: int

    @property
    def base_url(self) -> str:
        return f"http://{self.address}"

    def locate_blob(self, digest: str) -> Path:
        """Return the file in which the registry keeps the bytes of a blob."""
        hexadecimal = digest.removeprefix("sha256:")
        blobs = self.storage / "docker/registry/v2/blobs/sha256"
        return blobs / hexadecimal[:2] / hexadecimal / "data"


def find_registry_program() -> str | None:
    """Return where the registry program is, if it is installed."""
    return shutil.which(PROGRAM)


def find_free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_registry(
    directory: Path, *, auth: dict[str, Any] | None = None
) -> Iterator[RunningRegistry]:
    """Start a registry that stores below `directory`, wait until it answers, end it by its id."""
    program = find_registry_program()
    assert program is not None, f"Install {PROGRAM}: these tests copy between real registries."
    storage = directory / "storage"
    storage.mkdir(parents=True)
    address = f"127.0.0.1:{find_free_port()}"
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": address},
    }
    if auth is not None:
        settings["auth"] = auth
    # JSON is YAML, so no YAML library is needed to write the program's settings.
    (directory / "registry.yml").write_text(json.dumps(settings))
    with (directory / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", str(directory / "registry.yml")], stdout=log, stderr=log
        )
    try:
        _wait_until_it_answers(address, process, directory / "registry.log")
        yield RunningRegistry(address, storage, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    # Retries of the connection pause by themselves, longer each time.
    with httpx.Client(transport=httpx.HTTPTransport(retries=3)) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client.get(f"http://{address}/v2/")
            except httpx.TransportError:
                continue
            return
    raise AssertionError(f"{PROGRAM} did not answer at {address}: {log.read_text()[-2000:]}")
