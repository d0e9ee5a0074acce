"""What people call a step, and what it does."""

from collections.abc import Mapping
from typing import Any

from promotion.steps.known import STEPS


def step_title(kind: str) -> str:
    """Its title; a kind that is no longer known keeps its name."""
    return STEPS[kind].title if kind in STEPS else kind


def describe_step(kind: str, inputs: Mapping[str, Any]) -> str:
    """What it does, in a phrase; empty where the kind is not known."""
    return STEPS[kind].describe(inputs) if kind in STEPS else ""
