"""Icons of the lucide package, drawn inline so that they take the colour of their text."""

from functools import cache

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide


def icon(name: str, extra: str = "", label: str = "") -> SafeString:
    """An inline icon: hidden from screen readers unless it has a label."""
    classes = f"icon {extra}" if extra else "icon"
    meaning = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else mark_safe('aria-hidden="true"')
    )
    shapes = mark_safe(_read_shapes(str(name)))  # noqa: S308  # from an installed package, no user input
    return format_html('<svg class="{}" viewBox="0 0 24 24" {}>{}</svg>', classes, meaning, shapes)


@cache
def _read_shapes(name: str) -> str:
    svg = lucide(name, size=None)
    return " ".join(svg[svg.index(">") + 1 : svg.rindex("</svg>")].split())
