"""The environment variables that the processes are given; the same however they are started."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from launch import PROJECT
from launch.data_directory import Secrets
from launch.environment import ENVIRONMENT

RUNNING_NAME = "running.json"
EVERY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Running:
    """Where a started instance answers, kept in its data directory while it runs."""

    redis_url: str
    public_url: str


def write_running(data: Path, running: Running) -> None:
    """Leave word for `run.py manage`."""
    (data / RUNNING_NAME).write_text(json.dumps(asdict(running)))


def read_running(data: Path) -> Running | None:
    """What the running instance left word of, or None."""
    try:
        return Running(**json.loads((data / RUNNING_NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def forget_running(data: Path) -> None:
    """Take the word back."""
    (data / RUNNING_NAME).unlink(missing_ok=True)


def format_address(host: str, port: int) -> str:
    """Host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def find_local_host(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def describe_environment(
    data: Path,
    secrets: Secrets,
    running: Running,
    *,
    host: str = "127.0.0.1",
    is_demo: bool = False,
    given: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """The variables for every process; what was given from outside stands."""
    environment = dict(given)
    defaults = {
        "SECRET_KEY": secrets.secret_key,
        "THROUGHLINE_ENCRYPTION_KEYS": secrets.encryption_keys,
        "THROUGHLINE_URL": running.public_url,
        "REDIS_URL": running.redis_url,
        "THROUGHLINE_DEMO": "1" if is_demo else "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # Django's checks import every page; CI runs them, and a worker starts sooner without.
        "CELERY_SKIP_CHECKS": "true",
    }
    for name, value in defaults.items():
        if not environment.get(name):
            environment[name] = value
    environment["ALLOWED_HOSTS"] = _list_hosts(environment, host)
    environment["THROUGHLINE_DATA"] = str(data)
    environment["PYTHONUNBUFFERED"] = "1"
    environment["VIRTUAL_ENV"] = str(ENVIRONMENT)
    environment["PATH"] = f"{ENVIRONMENT / 'bin'}{os.pathsep}{given.get('PATH', os.defpath)}"
    inherited = given.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PROJECT), inherited)))
    environment.pop("PYTHONHOME", None)
    return environment


def _list_hosts(environment: Mapping[str, str], host: str) -> str:
    """The names that the web process answers to; the loopback ones serve the health check."""
    given = [name.strip() for name in environment.get("ALLOWED_HOSTS", "").split(",")]
    names = [name for name in given if name] + ["127.0.0.1", "localhost", "[::1]"]
    if public := urlsplit(environment["THROUGHLINE_URL"]).hostname:
        names.append(f"[{public}]" if ":" in public else public)
    if host not in EVERY_ADDRESS:
        names.append(f"[{host}]" if ":" in host else host)
    elif not any(given):
        names += [socket.gethostname(), socket.getfqdn()]
    return ",".join(dict.fromkeys(names))
