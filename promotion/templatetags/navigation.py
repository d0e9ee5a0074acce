"""Links that know where the reader is: items of the navigation, and the filters in the URL."""

from typing import Any

from django.http import HttpRequest, QueryDict
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from promotion.templatetags.icons import icon

PAGING = frozenset({"cursor", "page"})


def nav_group(content: str, title: str) -> SafeString:
    """A titled group of nav items, left out when none of its items is there."""
    if not content.strip():
        return mark_safe("")
    return format_html(
        '<div class="nav-group" role="group" aria-label="{0}">'
        '<p class="nav-title" aria-hidden="true">{0}</p>{1}</div>',
        title,
        mark_safe(content),  # noqa: S308  # the rendered, escaped inside of the block
    )


def nav_item(
    context: Context,
    url_name: str,
    label: str,
    icon_name: str,
    count: int = 0,
    count_label: str = "",
    key: str = "",
    allowed: bool = True,
) -> SafeString:
    """A nav link; nothing where its page does not exist or the reader may not open it."""
    url = _url_of(url_name) if allowed else None
    if url is None:
        return mark_safe("")
    return format_html(
        '<a class="nav-item" href="{}" title="{}"{}{}>{}<span class="label">{}</span>{}</a>',
        url,
        label,
        format_html(' data-key="{}"', key) if key else "",
        _current(context, url_name),
        icon(icon_name),
        label,
        _count(count, count_label),
    )


def tab_item(
    context: Context, url_name: str, label: str, icon_name: str, count: int = 0
) -> SafeString:
    """A link of the bottom bar on a phone; nothing where its page does not exist."""
    url = _url_of(url_name)
    if url is None:
        return mark_safe("")
    return format_html(
        '<a href="{}"{}>{}{}{}</a>',
        url,
        _current(context, url_name),
        icon(icon_name),
        label,
        _count(count, "waiting for you"),
    )


def url_with(context: Context, **changes: Any) -> str:
    """The query of this page with some keys set; None or "" removes a key.

    Paging starts anew unless a cursor or page is among the changes. A list sets several values.
    """
    request: HttpRequest | None = context.get("request")
    query = request.GET.copy() if request is not None else QueryDict(mutable=True)
    for key in PAGING:
        query.pop(key, None)
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            values = value if isinstance(value, list | tuple) else [value]
            query.setlist(key, [str(one) for one in values])
    return f"?{query.urlencode()}"


def _url_of(url_name: str) -> str | None:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


def _current(context: Context, url_name: str) -> SafeString:
    """A page marks its item; the pages below it (release-detail) mark the item of their list."""
    request: HttpRequest | None = context.get("request")
    match = getattr(request, "resolver_match", None)
    here = str(getattr(match, "view_name", "") or "")
    section = context.get("nav_section") or here
    if here == url_name:
        return mark_safe(' aria-current="page"')
    if section and _noun(section) == _noun(url_name):
        return mark_safe(' aria-current="true"')
    return mark_safe("")


def _noun(url_name: str) -> str:
    return url_name.partition("-")[0]


def _count(count: int, label: str) -> SafeString | str:
    if not count:
        return ""
    return format_html(
        '<span class="count" data-urgent>{}<span class="sr"> {}</span></span>', count, label
    )
