"""Every kind of step."""

from .base import Step

STEPS: dict[str, Step] = {}
