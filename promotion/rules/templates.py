"""Templates in a pipeline's texts: {service} is filled in when steps are planned.

{{word}} is the literal {word}. Braces around anything but a word ({job="x"}, {3}) are left alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from promotion.exceptions import InputError

TEMPLATE_NAMES = (
    "service", "version", "digest", "target", "environment",
    "stage", "name", "promotion", "commit",
)  # fmt: skip
_TEMPLATE = re.compile(
    r"\{\{(?P<literal>[A-Za-z_]\w*(?::[^{}\s]*)?)\}\}|\{(?P<name>[A-Za-z_]\w*(?::[^{}\s]*)?)\}"
)


def templates_in(value: Any) -> Iterator[str]:
    """Each template's name (digest:NAME whole) in the texts and keys of plain data."""
    if isinstance(value, str):
        yield from (match["name"] for match in _TEMPLATE.finditer(value) if match["name"])
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from templates_in(name)
            yield from templates_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from templates_in(item)


def fill_templates(value: Any, values: Mapping[str, str]) -> Any:
    """The same data with each template replaced by its value; InputError where one has none."""
    if isinstance(value, str):
        return _TEMPLATE.sub(lambda match: _fill(match, values), value)
    if isinstance(value, Mapping):
        return {
            fill_templates(name, values): fill_templates(item, values)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [fill_templates(item, values) for item in value]
    return value


def _fill(match: re.Match[str], values: Mapping[str, str]) -> str:
    if match["literal"]:
        return "{" + match["literal"] + "}"
    name = match["name"]
    if name in values:
        return values[name]
    raise InputError(
        f"{{{name}}} has no value here, so no step was planned. "
        f"Known: {', '.join(sorted(values)) or 'none'}."
    )
