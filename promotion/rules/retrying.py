"""When a step that broke is tried again."""

from datetime import timedelta

BACK_OFF = (2, 10, 30, 60, 300)  # seconds before the second, third, … attempt


def back_off(attempt: int) -> timedelta:
    """How long to wait after the attempt with that number (from 1) before the next."""
    return timedelta(seconds=BACK_OFF[min(attempt, len(BACK_OFF)) - 1])
