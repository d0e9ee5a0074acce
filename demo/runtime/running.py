"""The loop of the runtime, until a signal ends it."""

import logging
from pathlib import Path
from threading import Event

import httpx
from django.conf import settings
from django.db import close_old_connections
from django.db.utils import OperationalError
from django.utils import timezone

from demo.exceptions import DemoError
from demo.gitops import gitops_path
from demo.models import DemoProgress
from demo.organisation import DIRECTORY, LOOPBACK
from demo.runtime.health import serve_health
from demo.runtime.place import Place, read_place, write_place
from demo.runtime.rolling_out import Tell, go_on
from demo.runtime.telling import TIMEOUT, open_teller
from demo.runtime.watching import notice_commits

logger = logging.getLogger(__name__)
LOOKS_EVERY = 1.0  # seconds


def place_path() -> Path:
    """Where the runtime keeps its place."""
    return Path(settings.DATA_DIR) / DIRECTORY / "runtime.json"


def look_once(place: Place, progress: DemoProgress, tell: Tell) -> None:
    """One look at the repository, and one step on for everything under way."""

    def save() -> None:
        write_place(place_path(), place)

    now = timezone.now()
    if notice_commits(gitops_path(), place, began_at=progress.began_at, at=now):
        save()
    go_on(place, tell, save, at=now)


def run(stop: Event) -> None:
    """Waits for the demonstration to be begun, then looks every second."""
    progress = _await_beginning(stop)
    if progress is None:
        return
    place = read_place(place_path())
    try:
        server = serve_health(progress.runtime_port, place.running)
    except OSError as error:
        raise DemoError(
            f"The demo runtime cannot listen at {LOOPBACK}:{progress.runtime_port}"
            f" ({error.strerror}), where the pipelines ask it. End what uses that port."
        ) from error
    logger.info("The demo runtime watches %s.", gitops_path())
    # Throughline is on this machine; a proxy named in the environment is not for it.
    with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
        tell = open_teller(client)
        while not stop.wait(LOOKS_EVERY):
            close_old_connections()
            try:
                look_once(place, progress, tell)
            except OperationalError as error:
                logger.warning("The database did not answer (%s); tried again.", error)
    server.shutdown()


def _await_beginning(stop: Event) -> DemoProgress | None:
    while not stop.is_set():
        progress = DemoProgress.current()
        if progress is not None:
            return progress
        stop.wait(LOOKS_EVERY)
    return None
