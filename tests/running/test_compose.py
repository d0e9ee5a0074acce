"""The container files describe processes that exist, with health checks."""

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from launch.probe import is_scheduler_well, main

PROJECT = Path(__file__).resolve().parent.parent.parent
SERVICES = {"migrate", "web", "worker", "beat", "postgres", "redis"}
OWN = ("migrate", "worker", "beat")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    return read


def read_image_command(instruction: str) -> list[str]:
    """The words of the last CMD that stands at the begin of a line, or after HEALTHCHECK."""
    text = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")
    line = next(line for line in reversed(text.splitlines()) if line.startswith(instruction))
    words: list[str] = json.loads(line[line.index("[") :])
    return words


def assert_exists(command: list[str]) -> None:
    """The program is installed, and a file or module it is given is there."""
    program = Path(sys.executable).with_name(command[0])
    assert program.exists() or shutil.which(command[0]), command
    if command[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(command[2]), command
    elif command[0] == "python":
        assert (PROJECT / command[1]).is_file(), command
    elif command[:2] == ["celery", "-A"]:
        assert importlib.util.find_spec(command[2] + ".celery"), command
    elif command[0] == "gunicorn":
        assert importlib.util.find_spec(command[1]), command


def test_the_compose_file_keeps_to_the_schema_of_its_format(compose: dict[str, Any]) -> None:
    schema = json.loads(Path(__file__).with_name("compose_spec.json").read_text())
    faults = jsonschema.Draft7Validator(schema).iter_errors(compose)
    assert [fault.message for fault in faults] == []


def test_every_process_of_the_product_is_a_service(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SERVICES


@pytest.mark.parametrize("name", OWN)
def test_the_command_of_a_service_is_one_that_exists(compose: dict[str, Any], name: str) -> None:
    assert_exists(compose["services"][name]["command"])


@pytest.mark.parametrize("instruction", ["CMD", "HEALTHCHECK"])
def test_the_commands_of_the_image_are_ones_that_exist(instruction: str) -> None:
    assert_exists(read_image_command(instruction))


@pytest.mark.parametrize("name", sorted(SERVICES - {"migrate", "web"}))
def test_a_service_that_stays_has_a_health_check(compose: dict[str, Any], name: str) -> None:
    kind, *command = compose["services"][name]["healthcheck"]["test"]
    assert kind == "CMD"
    assert command


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_the_health_check_of_a_service_is_one_that_exists(
    compose: dict[str, Any], name: str
) -> None:
    assert_exists(compose["services"][name]["healthcheck"]["test"][1:])


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_service_waits_for_the_database_redis_and_the_migration(
    compose: dict[str, Any], name: str
) -> None:
    waits = {
        other: wait["condition"] for other, wait in compose["services"][name]["depends_on"].items()
    }
    assert waits == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


def test_every_named_volume_of_a_service_is_declared(compose: dict[str, Any]) -> None:
    used = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }
    assert used == set(compose["volumes"])


def test_every_variable_of_the_compose_file_stands_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (PROJECT / "docker-compose.yml").read_text()))
    offered = set(re.findall(r"(?m)^(\w+)=", (PROJECT / ".env.example").read_text()))
    assert asked
    assert asked <= offered


def test_neither_keys_nor_data_get_into_the_image() -> None:
    left_out = (PROJECT / ".dockerignore").read_text().splitlines()
    assert {".*", "data"} <= set(left_out)


def test_everything_that_the_image_is_built_from_gets_into_it() -> None:
    left_out = (PROJECT / ".dockerignore").read_text().splitlines()
    text = (PROJECT / "Dockerfile").read_text()
    copied = re.findall(r"(?m)^COPY (?!--)(.+) \S+$", text)
    named = [name for line in copied for name in line.split() if name != "."]
    assert named == ["requirements.lock", "launch/uv.lock"]
    needed = [*named, "manage.py", "config/wsgi.py", "launch/probe.py"]
    assert [name for name in needed if not (PROJECT / name).is_file()] == []
    assert not {name.partition("/")[0] for name in needed} & set(left_out)


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"(?m)^USER (\w+)", (PROJECT / "Dockerfile").read_text())
    assert users == ["throughline"]


def test_the_scheduler_is_well_only_while_it_writes_its_file(tmp_path: Path) -> None:
    assert not is_scheduler_well(tmp_path / "schedule")
    (tmp_path / "schedule.db").touch()
    assert is_scheduler_well(tmp_path / "schedule")


def test_an_unknown_kind_of_process_has_no_health_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["postgres"]) == 2
    assert "web | worker | beat" in capsys.readouterr().err
