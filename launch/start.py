"""`run.py`: from nothing to a running Throughline, and the word that it is ready."""

import os
import subprocess
from pathlib import Path

from launch import PROJECT
from launch.broker import Broker, choose_broker
from launch.contract import (
    Running,
    describe_environment,
    find_local_host,
    forget_running,
    format_address,
    write_running,
)
from launch.data_directory import DirectoryLock, keep_secrets
from launch.environment import make_environment
from launch.messages import LaunchError, Progress, read_tail
from launch.processes import StartOptions, describe_processes
from launch.supervisor import Supervisor


def start(options: StartOptions, lock: DirectoryLock, progress: Progress) -> int:
    """Make what is missing, migrate, run every process until a signal; gives the exit code."""
    progress.say(f"Starting Throughline; its data directory is {options.data}")
    try:
        python = make_environment(progress)
        # From here on every file belongs to the data directory, and is its owner's alone.
        os.umask(0o077)
        broker = None
        if not os.environ.get("REDIS_URL"):
            broker = choose_broker(options.data, python, progress.say)
        environment = _prepare(options, broker)
        _migrate(python, environment, options.data / "logs" / "migrate.log", progress)
        supervisor = Supervisor(
            describe_processes(python, options, broker),
            environment=environment,
            logs=options.data / "logs",
            progress=progress,
            inherited=(lock.processes,),
            directory=PROJECT,
        )
        return supervisor.run(lambda: _greet(python, options, environment, progress))
    finally:
        forget_running(options.data)
        lock.release()


def _prepare(options: StartOptions, broker: Broker | None) -> dict[str, str]:
    """The variables of this instance, left in the data directory for `run.py manage`, too."""
    address = format_address(find_local_host(options.host), options.port)
    running = Running(
        broker.url if broker else os.environ["REDIS_URL"],
        os.environ.get("THROUGHLINE_URL") or f"http://{address}",
    )
    write_running(options.data, running)
    return describe_environment(
        options.data,
        keep_secrets(options.data),
        running,
        host=options.host,
        is_demo=not options.is_empty,
    )


def _migrate(python: Path, environment: dict[str, str], log: Path, progress: Progress) -> None:
    progress.say("Bringing the database up to date")
    with log.open("wb") as output:
        command = [str(python), "manage.py", "migrate", "--noinput"]
        ran = subprocess.run(
            command,
            check=False,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if ran.returncode:
        for line in read_tail(log):
            progress.show(f"    migrate | {line}")
        raise LaunchError(
            f"The database could not be brought up to date, so nothing was started; the whole "
            f"story is in {log}.",
            exit_code=1,
        )


def _greet(
    python: Path, options: StartOptions, environment: dict[str, str], progress: Progress
) -> None:
    """Say where the pages are and how to come in."""
    progress.say("Ready")
    progress.show()
    progress.show(f"    Throughline    {environment['THROUGHLINE_URL']}")
    if options.is_empty:
        data = "" if options.data == PROJECT / "data" else f"--data {options.data} "
        progress.show("    Make the first administrator in another terminal:")
        progress.show(f"        python3 run.py manage {data}createsuperuser")
    else:
        progress.show("    Sign in as (name, password, what for):")
        for line in _read_logins(python, environment):
            progress.show(f"        {line}")
    progress.show("    Ctrl-C ends everything; a new start goes on where this one ended.")
    progress.show()


def _read_logins(python: Path, environment: dict[str, str]) -> list[str]:
    command = [str(python), "manage.py", "load_demo", "--logins"]
    ran = subprocess.run(
        command, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True
    )
    if ran.returncode:
        return ["The logins could not be read; see `python3 run.py manage load_demo --logins`"]
    return ran.stdout.splitlines()
