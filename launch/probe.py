"""Health checks of the container image, one for each kind of process.

python -m launch.probe web | worker | beat SCHEDULE
"""

import importlib
import os
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from launch.processes import answers_healthz

# The scheduler writes its file every three minutes; after three missed turns it is stuck.
SCHEDULE_SECONDS = 600


def is_web_well(port: int = 8000) -> bool:
    """Whether the pages answer, asked by the name they are reached by."""
    name = urlsplit(os.environ.get("THROUGHLINE_URL", "")).netloc
    return answers_healthz("127.0.0.1", port, name or "127.0.0.1")


def is_worker_well() -> bool:
    """Whether this machine's worker answers over the broker."""
    app = importlib.import_module("config.celery").app
    name = f"celery@{socket.gethostname()}"
    return bool(app.control.inspect(destination=[name], timeout=10).ping())


def is_scheduler_well(schedule: Path) -> bool:
    """Whether the scheduler wrote its file lately; its ending depends on the system's dbm."""
    written = [file.stat().st_mtime for file in schedule.parent.glob(f"{schedule.name}*")]
    return bool(written) and time.time() - max(written) < SCHEDULE_SECONDS


def main(arguments: list[str]) -> int:
    """0 when the process is well, 1 when it is not, 2 for an unknown kind."""
    match arguments:
        case ["web"]:
            is_well = is_web_well()
        case ["worker"]:
            is_well = is_worker_well()
        case ["beat", schedule]:
            is_well = is_scheduler_well(Path(schedule))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
