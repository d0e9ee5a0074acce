"""The processes of a running Throughline: their commands, order of start and order of end."""

import http.client
from dataclasses import dataclass
from pathlib import Path

from launch.broker import Broker
from launch.child import ProcessSpec
from launch.contract import find_local_host, format_address


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What the command line asked for."""

    port: int
    host: str
    data: Path
    is_empty: bool


def describe_processes(
    python: Path, options: StartOptions, broker: Broker | None
) -> list[ProcessSpec]:
    """Every process in order of start; the broker only where none was given from outside."""
    specs = [_describe_web(python, options)]
    specs += [_describe_worker(python), _describe_scheduler(python, options.data)]
    if not options.is_empty:
        specs += _describe_demo(python)
    if broker is not None:
        specs.insert(0, ProcessSpec("redis", broker.command, 4, is_up=broker.is_up))
    return specs


def _describe_web(python: Path, options: StartOptions) -> ProcessSpec:
    command = [str(python), "-m", "gunicorn", "config.wsgi"]
    command += ["--bind", format_address(options.host, options.port)]
    command += ["--worker-class", "gthread", "--workers", "2", "--threads", "8"]
    # The control socket lies in the home directory, where two instances would meet.
    command += ["--graceful-timeout", "8", "--timeout", "60", "--no-control-socket"]

    def is_up() -> bool:
        return answers_healthz(options.host, options.port)

    return ProcessSpec("web", tuple(command), 0, is_up=is_up, start_seconds=120)


def _describe_worker(python: Path) -> ProcessSpec:
    command = [str(python), "-m", "celery", "-A", "config", "worker", "--concurrency", "2"]
    command += ["--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    return ProcessSpec("worker", tuple(command), 2, stop_seconds=20)


def _describe_scheduler(python: Path, data: Path) -> ProcessSpec:
    command = [str(python), "-m", "celery", "-A", "config", "beat", "--loglevel", "WARNING"]
    # The lock of the data directory does the work of a process id file.
    command += ["--schedule", str(data / "schedule"), "--pidfile="]
    return ProcessSpec("beat", tuple(command), 1)


def _describe_demo(python: Path) -> list[ProcessSpec]:
    manage = (str(python), "manage.py")
    return [
        ProcessSpec("demo", (*manage, "load_demo"), 3, is_one_shot=True, is_shown=True),
        ProcessSpec("runtime", (*manage, "run_demo_runtime"), 3),
    ]


def answers_healthz(host: str, port: int, name: str = "127.0.0.1") -> bool:
    """Whether the web process, asked by a name it is known by, says that it is well."""
    connection = http.client.HTTPConnection(find_local_host(host), port, timeout=2)
    # An installation behind a TLS proxy answers plain requests with a redirect.
    headers = {"Host": name, "X-Forwarded-Proto": "https"}
    try:
        connection.request("GET", "/healthz", headers=headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
