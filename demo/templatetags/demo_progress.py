"""The bar that says how far the demonstration is loaded."""

from typing import Any

from django import template
from django.conf import settings

from demo.models import DemoProgress

register = template.Library()


def progress_context() -> dict[str, Any]:
    """What the part shows: nothing where no demonstration is being loaded."""
    progress = DemoProgress.current() if settings.DEMO_LOGINS else None
    return {"progress": None if progress is None or progress.is_finished else progress}


@register.inclusion_tag("demo/_progress.html")
def demo_progress() -> dict[str, Any]:
    """The bar, polled while it grows."""
    return progress_context()
