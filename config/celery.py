"""The Celery application and every schedule."""

import logging
import os
import time
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

logger = logging.getLogger(__name__)

SILENT_FOR = 5.0  # seconds; the sweep finds within two what was not sent


class Hint(DjangoTask):  # type: ignore[misc]  # Celery has no types
    """A task whose message is only a hint: the work is in the database, and a sweep finds it."""

    abstract = True
    silent_until = 0.0

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        """Sends it; with the broker out of reach what was recorded stays recorded, and this returns None.

        For a while after that nothing is tried, so that a broker that is away does not make every
        answer wait for it.
        """
        if time.monotonic() < Hint.silent_until:
            return None
        try:
            return super().apply_async(*args, **kwargs)
        except OperationalError as error:
            Hint.silent_until = time.monotonic() + SILENT_FOR
            logger.warning(
                "The broker is out of reach, the sweep will find %s: %s", self.name, error
            )
            return None


app = Celery("throughline", task_cls=Hint)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    task_publish_retry=False,
    # A hint may be lost (the sweep finds the work) but work in hand must come back after a kill.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={"visibility_timeout": 600, "socket_connect_timeout": 2},
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    beat_max_loop_interval=1,
    beat_schedule={
        "sweep": {
            "task": "promotion.tasks.sweep",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"expires": max(settings.SWEEP_SECONDS, 5)},
        },
        "process-left-events": {
            "task": "promotion.tasks.process_left_events",
            "schedule": 5.0,
            "options": {"expires": 5},
        },
        "sweep-reverifications": {
            "task": "promotion.tasks.sweep_reverifications",
            "schedule": 5.0,
            "options": {"expires": 5},
        },
        "sweep-outbox": {
            "task": "promotion.tasks.sweep_outbox",
            "schedule": 5.0,
            "options": {"expires": 5},
        },
        "watch": {
            "task": "promotion.tasks.watch",
            "schedule": 30.0,
            "options": {"expires": 30},
        },
        "refresh-facts": {
            "task": "metrics.tasks.refresh",
            "schedule": 3.0,
            "options": {"expires": 3},
        },
        "judge-lately": {
            "task": "metrics.tasks.judge_lately",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "judge-all": {
            "task": "metrics.tasks.judge_all",
            "schedule": 900.0,
            "options": {"expires": 900},
        },
        "seal-audit": {
            "task": "promotion.tasks.seal_audit",
            "schedule": 5.0,
            "options": {"expires": 5},
        },
        # Each team once a day; asked hourly, so that a scheduler that was away loses no day.
        "measure-due-teams": {
            "task": "metrics.tasks.measure_due_teams",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        # Once a week and quarter; asked often, so that a scheduler that was away misses none.
        "tell-summaries": {
            "task": "metrics.tasks.tell_summaries",
            "schedule": 6 * 3600.0,
            "options": {"expires": 6 * 3600},
        },
        # Each thing is told once; asked often, so that a scheduler that was away misses none.
        "remind-teams": {
            "task": "metrics.tasks.remind_teams",
            "schedule": 6 * 3600.0,
            "options": {"expires": 6 * 3600},
        },
    },
)
app.autodiscover_tasks()
