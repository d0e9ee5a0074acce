"""The reference beside the engine: a Celery task that does one UPDATE … RETURNING and nothing else."""

import os

import psycopg
from celery import Celery

app = Celery("bare", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    task_default_queue="bare",
    worker_send_task_events=False,
)
_held: list[psycopg.Connection[tuple[int]]] = []


@app.task(name="bare.mark")
def mark(number: int) -> None:
    """Says in its row when it was reached."""
    if not _held:
        _held.append(psycopg.connect(os.environ["BARE_DATABASE_URL"], autocommit=True))
    _held[0].execute(
        "UPDATE bare SET reached_at = clock_timestamp() WHERE id = %s RETURNING id", [number]
    ).fetchone()
