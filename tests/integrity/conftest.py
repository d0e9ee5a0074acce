"""Real registries for the tests of images: two that anybody may write to, made once."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from promotion.integrity.oci.registry import OciRegistry, RegistryRepository
from tests.parts.registry import RunningRegistry, run_registry
from tests.parts.ssh_server import RunningSshd, run_sshd

_numbers = itertools.count(1)

OpenRepository = Callable[[RunningRegistry], RegistryRepository]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what uses a real registry, so that it can be chosen or left out."""
    if {"running_registry", "other_running_registry"} & set(getattr(item, "fixturenames", ())):
        item.add_marker("needs_registry")
    callspec = getattr(item, "callspec", None)
    if "sshd" in getattr(item, "fixturenames", ()) or (
        callspec is not None and "ssh" in callspec.params.values()
    ):
        item.add_marker("needs_sshd")


@pytest.fixture(scope="session")
def running_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry that keeps what earlier tests wrote; each test uses names of its own."""
    with run_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def other_running_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A second registry, which shares nothing with the first."""
    with run_registry(tmp_path_factory.mktemp("other-registry")) as running:
        yield running


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSshd]:
    """A server that lets one key in; it keeps nothing."""
    with run_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def open_repository() -> Iterator[OpenRepository]:
    """Open repositories that no other test uses; their connections close with the test."""
    opened: dict[str, OciRegistry] = {}

    def open_new(running: RunningRegistry) -> RegistryRepository:
        registry = opened.setdefault(running.base_url, OciRegistry(running.base_url))
        return registry.open_repository(f"team/service-{next(_numbers)}")

    yield open_new
    for registry in opened.values():
        registry.close()
