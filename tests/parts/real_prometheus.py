"""A real Prometheus on a free port of the loopback, with samples taken in before it starts."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from tests.parts.registry import find_free_port

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Series:
    """A gauge with its labels as written, and its values in turn, oldest first."""

    name: str
    labels: str
    values: Sequence[float]


def write_openmetrics(series: Sequence[Series], begin: datetime, every: timedelta) -> str:
    """The samples as text that promtool takes in (openmetrics.io)."""
    lines: list[str] = []
    for name in dict.fromkeys(one.name for one in series):
        lines.append(f"# TYPE {name} gauge")
        lines += [
            f"{name}{{{one.labels}}} {value} {(begin + number * every).timestamp():.3f}"
            for one in series
            if one.name == name
            for number, value in enumerate(one.values)
        ]
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def run_prometheus(
    directory: Path, series: Sequence[Series], *, begin: datetime, every: timedelta
) -> Iterator[str]:
    """Take the samples in, start the program, wait until it is ready, end it; gives its address."""
    assert shutil.which("prometheus"), "Install prometheus: these tests ask a real one."
    directory.mkdir(parents=True, exist_ok=True)
    samples, data, config = (directory / name for name in ("samples", "data", "config.yml"))
    samples.write_text(write_openmetrics(series, begin, every))
    config.write_text("global: {scrape_interval: 1h}\n")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(samples), str(data)],
        check=True,
        capture_output=True,
    )
    address = f"http://127.0.0.1:{find_free_port()}"
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address.removeprefix('http://')}",
        "--log.level=warn",
    ]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _await_ready(process, address, directory / "log")
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_STOP_SECONDS)


def _await_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{address}/-/ready", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"Prometheus was not ready in time: {log.read_text()}")
