"""The rows of the matrix as HTML.

Drawn here and not by a template, because a thousand cells in the template language take longer than
everything else on the page together. Whatever comes from data goes through `escape`.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import cache, lru_cache

from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from promotion.formats import format_age, format_moment
from promotion.templatetags.throughline import pill, status_icon

from .matrix import Hop, MatrixRow, NextStep, Place

NO_HOP = '<td class="hop" role="cell"></td>'
SAME_HOP = '<td class="hop" role="cell"><div class="link same"><span class="sr">same digest</span></div></td>'


def draw_rows(rows: Iterable[MatrixRow], now: datetime) -> SafeString:
    """All rows, each a `<tr>`."""
    url = reverse("promotion-list")
    # Every part below is either our own text or has been escaped.
    return mark_safe("".join(_row(row, url, now) for row in rows))  # noqa: S308


def _row(row: MatrixRow, url: str, now: datetime) -> str:
    slug, team = escape(row.service.slug), escape(row.service.team.name)
    last = len(row.cells) - 1
    cells = "".join(
        _cell(place, hop, now) + (_hop(hop) if number < last else "")
        for number, (place, hop) in enumerate(row.cells)
    )
    return (
        f'<tr role="row"><th scope="row" role="rowheader"><a class="cover" href="{url}?service={slug}">{slug}</a>'
        f'<div class="faint tiny">{team}</div></th>{cells}'
        f'<td role="cell" data-label="Next">{_next_step(row.next_step, url)}</td></tr>'
    )


def _passed_by(name: str, hop: Hop) -> str:
    """The line goes on over a place that the service's pipeline leaves out."""
    line = f'<div class="link {hop.kind}" aria-hidden="true"></div>' if hop.kind else ""
    said = '<span class="sr">Not on its way</span>'
    return f'<td class="by" role="cell" data-label="{_escaped(name)}">{line}{said}</td>'


def _cell(place: Place, hop: Hop, now: datetime) -> str:
    if not place.version and not place.is_on_the_way:
        return _passed_by(place.environment.name, hop)
    if not place.version:
        inside = f'<span class="faint">Nothing yet</span>{_small(escape(place.note))}'
    else:
        note = escape(place.note) or _age(place, now)
        said = f'<span class="sr">, {place.status}</span>'
        inside = f"<b>{escape(place.version)}</b>{said}{_small(note)}"
    return (
        f'<td role="cell" data-label="{_escaped(place.environment.name)}">'
        f'<div class="place" data-status="{place.status}">{_icon(place.status)}{inside}</div></td>'
    )


def _age(place: Place, now: datetime) -> str:
    if place.at is None:
        return ""
    since = "since " if place.status == "running" else ""
    told = _time(place.at, timezone.get_current_timezone())
    return f"{since}<time {told}>{format_age(now - place.at)}</time>"


@lru_cache(maxsize=16_384)
def _time(at: datetime, zone: tzinfo) -> str:
    """The attributes of a time, which stay while its age grows."""
    local = at.astimezone(zone)
    return f'datetime="{local.isoformat(timespec="seconds")}" title="{format_moment(local)}"'


def _small(text: str) -> str:
    return f"<small>{text}</small>" if text else ""


def _hop(hop: Hop) -> str:
    if not hop.kind:
        return NO_HOP
    if hop.passes:
        return f'<td class="hop" role="cell"><div class="link {hop.kind}" aria-hidden="true"></div></td>'
    if hop.kind == "same":
        return SAME_HOP
    return f'<td class="hop" role="cell"><div class="link {hop.kind}">{escape(hop.text)}</div></td>'


def _next_step(step: NextStep, url: str) -> str:
    if step.ask_release:
        asked = {"release": str(step.ask_release), "environment": step.ask_environment}
        query = urlencode(asked)
        return f'<a class="small" href="{url}new/?{escape(query)}">{escape(step.text)}</a>'
    if not step.status:
        return f'<span class="faint">{escape(step.text)}</span>'
    drawn = pill(step.status, step.text)
    return f'<a class="cover" href="{url}{step.number}/">{drawn}</a>' if step.number else drawn


@lru_cache(maxsize=1024)
def _escaped(name: str) -> str:
    return escape(name)


@cache
def _icon(status: str) -> str:
    return status_icon(status)
