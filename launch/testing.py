"""`run.py test`: what this machine cannot test, then pytest on all the rest."""

import os
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from launch import PROJECT
from launch.broker import answers_ping, choose_broker
from launch.child import ProcessSpec
from launch.contract import Running, describe_environment
from launch.data_directory import create_data_directory, keep_secrets
from launch.environment import make_environment
from launch.messages import LaunchError, Progress
from launch.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class NeededProgram:
    """A program that some tests drive, and the marker of those tests."""

    name: str
    spellings: tuple[str, ...]
    marker: str
    what_for: str


NEEDED_PROGRAMS = (
    NeededProgram(
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome"),
        "needs_chromium",
        "the pages in a real browser",
    ),
    NeededProgram(
        "docker-registry", ("docker-registry",), "needs_registry", "copies between registries"
    ),
    NeededProgram("skopeo", ("skopeo",), "needs_skopeo", "images as another tool writes them"),
    NeededProgram(
        "redis-server", ("redis-server",), "needs_redis", "a Redis that is not the embedded one"
    ),
    NeededProgram("git", ("git",), "needs_git", "commits as another tool reads them"),
)


def run_tests(arguments: Sequence[str]) -> int:
    """Make the environment, say what is missing, run pytest; gives its exit code.

    In CI (CI=true) a missing program is an error, so that no test is left out unseen.
    """
    progress = Progress()
    missing = find_missing_programs()
    for program in missing:
        progress.show(f"Without {program.name}: no tests of {program.what_for}.")
    if missing and os.environ.get("CI", "").lower() in ("true", "1"):
        names = ", ".join(program.name for program in missing)
        raise LaunchError(f"CI must run every test, and this machine lacks {names}; install them.")
    check_given_services(os.environ)
    python = make_environment(progress)
    with tempfile.TemporaryDirectory(prefix="throughline-test-") as scratch:
        data = Path(scratch).resolve() / "data"
        create_data_directory(data)
        specs: list[ProcessSpec] = []
        redis_url = os.environ.get("REDIS_URL", "")
        if not redis_url:
            broker = choose_broker(data, python, progress.say)
            specs = [ProcessSpec("redis", broker.command, is_up=broker.is_up)]
            redis_url = broker.url
        running = Running(redis_url, "http://127.0.0.1:8000")
        environment = describe_environment(data, keep_secrets(data), running)
        command = [str(python), "-m", "pytest", *leave_out_marked(arguments, missing)]

        supervisor = Supervisor(
            specs,
            environment=environment,
            logs=data / "logs",
            progress=progress,
            directory=PROJECT,
        )
        return supervisor.run_beside(command, environment)


def find_missing_programs(
    programs: Sequence[NeededProgram] = NEEDED_PROGRAMS,
) -> list[NeededProgram]:
    """The programs that are not on the path."""
    return [
        program
        for program in programs
        if not any(shutil.which(spelling) for spelling in program.spellings)
    ]


def leave_out_marked(arguments: Sequence[str], missing: Sequence[NeededProgram]) -> list[str]:
    """Pytest's arguments with the tests of missing programs taken out of any `-m`."""
    if not missing:
        return list(arguments)
    rest: list[str] = []
    conditions: list[str] = []
    left = iter(arguments)
    for argument in left:
        if argument == "-m":
            conditions.append(f"({next(left, 'not True')})")
        elif argument.startswith("-m"):
            conditions.append(f"({argument[2:].removeprefix('=')})")
        else:
            rest.append(argument)
    # Of several, pytest heeds the last.
    conditions = conditions[-1:] + [f"not {program.marker}" for program in missing]
    return ["-m", " and ".join(conditions), *rest]


def check_given_services(given: Mapping[str, str]) -> None:
    """See that the database and the Redis named from outside answer; LaunchError if one does not.

    A test run on nothing would be a run of failures that say nothing of the product.
    """
    if url := given.get("DATABASE_URL"):
        parts = urlsplit(url)
        address = (parts.hostname or "127.0.0.1", parts.port or 5432)
        try:
            socket.create_connection(address, 5).close()
        except OSError as error:
            raise LaunchError(
                f"PostgreSQL does not answer at {address[0]}:{address[1]}, which DATABASE_URL "
                "names; start it, or unset DATABASE_URL to test on SQLite."
            ) from error
    if (url := given.get("REDIS_URL")) and not answers_ping(url):
        place = urlsplit(url).netloc.rpartition("@")[2] or urlsplit(url).path
        raise LaunchError(
            f"Redis does not answer at {place}, which REDIS_URL names; start it, or unset "
            "REDIS_URL to test on the embedded one."
        )
