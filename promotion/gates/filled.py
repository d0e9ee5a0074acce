"""The settings of a gate with the names in them filled in."""

from collections.abc import Mapping
from typing import Any

from promotion.rules.templates import fill_templates

from .base import GateContext


def fill_settings(context: GateContext) -> Mapping[str, Any]:
    """The settings, {service}, {version} and the like filled in; InputError where one has no value.

    A gate is asked once for all targets, so {target} has none.
    """
    promotion, release = context.promotion, context.promotion.release
    digests = {one.short_name: one.digest for one in release.artifacts.all()}
    values = {
        "service": promotion.service.slug,
        "version": release.version,
        "environment": promotion.environment.slug,
        "stage": context.stage.name,
        "commit": release.commit,
        "promotion": promotion.number,
        **{f"digest:{name}": digest for name, digest in digests.items()},
    }
    own = promotion.service.slug if len(digests) > 1 else "".join(digests)
    if own in digests:
        values |= {"digest": digests[own], "name": own}
    filled: Mapping[str, Any] = fill_templates(context.settings, values)
    return filled
