"""Mapping rules in words."""

from dataclasses import dataclass
from typing import Any

from promotion.models import Mapping

ASKED = (
    ("repository_pattern", "repository"),
    ("job_pattern", "job"),
    ("image_pattern", "image"),
    ("environment_pattern", "environment name"),
)


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule as a table shows it."""

    rule: Mapping
    key: str
    asks: list[tuple[str, str]]
    leads_to: str


def list_rules(rules: Any) -> list[RuleLine]:
    """In the order they are asked."""
    rows = rules.in_order().select_related("sender", "service", "environment", "created_by")
    return [tell_rule(one) for one in rows.defer("sender__secret", "sender__previous_secret")]


def tell_rule(rule: Mapping) -> RuleLine:
    """One rule."""
    asks = [(word, getattr(rule, name)) for name, word in ASKED if getattr(rule, name)]
    return RuleLine(rule, str(rule.pk), asks, _leads_to(rule))


def _leads_to(rule: Mapping) -> str:
    if rule.is_ignored:
        return "ignored"
    service, environment = rule.service, rule.environment
    if rule.is_deployment:
        what = f"of {service.slug} " if service else ""
        return f"the build is the deployment {what}to {environment.slug if environment else ''}"
    if service and environment:
        return f"{service.slug} in {environment.slug}"
    return service.slug if service else f"environment {environment.slug if environment else ''}"
