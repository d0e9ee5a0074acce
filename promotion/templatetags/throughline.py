"""The tags and filters of the pages; docs/how-to/write-a-page.md shows each in use."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from promotion import formats
from promotion.templatetags.icons import icon
from promotion.templatetags.navigation import nav_group, nav_item, tab_item, url_with
from promotion.templatetags.status import NODE_ICONS, STATUS_ICONS, displayed_status

register = template.Library()
register.simple_tag(nav_item, takes_context=True)
register.simple_tag(tab_item, takes_context=True)
register.simple_tag(url_with, takes_context=True)
register.simple_block_tag(nav_group)
register.filter("status_of", displayed_status)
register.simple_tag(icon)

_NONE_YET = "none yet"


@register.simple_tag
def status_icon(status: str) -> SafeString:
    """The icon of a status; its meaning must stand beside it as text."""
    shown = displayed_status(status)
    return icon(STATUS_ICONS[shown], "icon-spin" if shown == "running" else "")


@register.simple_tag
def pill(status: str, text: str = "") -> SafeString:
    """A status as a tinted pill; without a text the status names itself."""
    return _labelled("pill", status, text)


@register.simple_tag
def mark(status: str, text: str = "") -> SafeString:
    """A status as coloured text with its icon, without a tint."""
    return _labelled("mark", status, text)


def _labelled(kind: str, status: str, text: str) -> SafeString:
    return format_html(
        '<span class="{}" data-status="{}">{}{}</span>',
        kind,
        displayed_status(status),
        status_icon(status),
        text or _sentence_case(status),
    )


def _sentence_case(word: str) -> str:
    words = str(word).replace("_", " ")
    return words[:1].upper() + words[1:]


@register.simple_tag
def node(status: str, name: str = "") -> SafeString:
    """The round stop of a track or a timeline, with the icon of its status or another one."""
    shown = displayed_status(status)
    drawn = icon(name or NODE_ICONS[shown], "icon-spin" if shown == "running" and not name else "")
    return format_html('<span class="node" data-status="{}">{}</span>', shown, drawn)


@register.simple_tag
def digest(value: str | None, length: int = 12) -> SafeString:
    """A digest as a button that copies the whole of it; 16 digits where it is the subject."""
    if not value:
        return format_html('<span class="faint">{}</span>', _NONE_YET)
    digits = str(value).rpartition(":")[2][:length]
    return format_html(
        '<button class="digest" type="button" data-copy="{0}" title="{0}" '
        'aria-label="Copy digest {1}">{1}{2}</button>',
        value,
        digits,
        icon("copy"),
    )


@register.filter
def person_name(person: Any) -> str:
    """The full name of a user, else the user name; a text stays, nobody is the product itself."""
    if person is None or person == "":
        return "Throughline"
    full_name = getattr(person, "get_full_name", None)
    return str((full_name() if full_name else "") or person)


@register.simple_tag
def avatar(person: Any) -> SafeString:
    """The initials of a person (a user or a name); the name must stand beside them."""
    name = person_name(person)
    words = re.split(r"[\s._-]+", name)
    initials = "".join(word[0] for word in words if word)[:2].upper()
    return format_html(
        '<span class="avatar" title="{}" aria-hidden="true">{}</span>', name, initials
    )


def _time(at: datetime, shown: str, *, exact: bool = False) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(timespec="milliseconds" if exact else "seconds"),
        formats.format_moment(at, exact=exact),
        shown,
    )


@register.simple_tag
def when(at: datetime | None, empty: str = _NONE_YET) -> SafeString:
    """A time as one reads it: "2 h ago" under 14 days, else the day; absolute in its title."""
    if at is None:
        return format_html('<span class="faint">{}</span>', empty)
    local = timezone.localtime(at)
    return _time(local, formats.format_relative(local, timezone.now()))


@register.simple_tag
def age(at: datetime | None, empty: str = _NONE_YET) -> SafeString:
    """How long ago a time was, without "ago": the age of what stands in a place."""
    if at is None:
        return format_html('<span class="faint">{}</span>', empty)
    local = timezone.localtime(at)
    return _time(local, formats.format_age(timezone.now() - local))


@register.simple_tag
def moment(at: datetime | None, exact: bool = False, empty: str = _NONE_YET) -> SafeString:
    """The whole time in the reader's zone; exact adds milliseconds and the time in UTC."""
    if at is None:
        return format_html('<span class="faint">{}</span>', empty)
    local = timezone.localtime(at)
    shown = formats.format_moment(local, exact=exact)
    if not exact:
        return _time(local, shown)
    universal = at.astimezone(timezone.get_fixed_timezone(0))
    return format_html(
        '<time datetime="{}">{} <span class="faint nowrap">{} UTC</span></time>',
        universal.isoformat(timespec="milliseconds"),
        shown,
        f"{universal:%H:%M:%S}.{universal.microsecond // 1000:03d}",
    )


@register.filter
def span(duration: timedelta | float | None) -> str:
    """A duration (timedelta or seconds) in at most two units, held together."""
    return _NONE_YET if duration is None else formats.format_span(duration)


@register.filter
def grouped(number: float | None, decimals: int | None = None) -> str:
    """A number with its thousands grouped; a decimal only where there is one."""
    return _NONE_YET if number is None else formats.format_number(number, decimals)


@register.filter
def percent(share: float | None, n: int | None = None) -> str:
    """A share (0 to 1) of n cases as per cent; "k of n" below 5 cases, muted below 20."""
    text = formats.format_percent(share, n)
    if share is not None and n is not None and 5 <= n < 20:
        return format_html('<span class="muted">{}</span>', text)
    return text


@register.filter
def percent_headline(share: float | None, n: int | None = None) -> str:
    """The same share as a headline, with one decimal."""
    return formats.format_percent(share, n, headline=True)


@register.filter
def points(difference: float | None) -> str:
    """The difference of two shares in percentage points, signed."""
    return formats.NOT_MEASURED if difference is None else formats.format_points(difference)
