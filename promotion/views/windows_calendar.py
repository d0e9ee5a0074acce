"""When promotions into an environment may start in the next four weeks, day by day, for each service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from promotion.exceptions import InputError
from promotion.gates.window import freeze_window
from promotion.models import Environment, Freeze, PipelineVersion, Service
from promotion.rules.windows import Window, list_open

WEEKS = 4
DAYS = WEEKS * 7
Spans = list[tuple[datetime, datetime]]
# What lets promotions of a service in: allowed and denied windows, freezes, the stage's mode.
Way = tuple[tuple[Window, ...], tuple[Window, ...], tuple[Freeze, ...], str]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the reader's calendar: when it is open, in words; `is_frozen` where a freeze closes some of it."""

    day: date
    status: str
    text: str
    is_frozen: bool
    is_today: bool
    is_past: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """The weeks of all services that share the same windows and freezes."""

    services: tuple[str, ...]
    note: str
    weeks: tuple[tuple[Day, ...], ...]
    problem: str = ""


def list_calendars(
    environment: Environment,
    services: Sequence[tuple[Service, PipelineVersion]],
    freezes: Sequence[Freeze],
    at: datetime,
    zone: tzinfo,
) -> list[Calendar]:
    """One for each way to be open; the freezes are those not over, the versions the newest."""
    groups: dict[Way, list[str]] = {}
    for service, version in services:
        try:
            stage = version.form.stage_of(environment.slug)
        except InputError:
            continue  # applied under older rules; its own page says so
        if stage is not None:
            held = tuple(one for one in freezes if touches(one, service, environment))
            key = (stage.windows.allow, stage.windows.deny, held, stage.mode)
            groups.setdefault(key, []).append(service.slug)
    # What opens and closes first; what is open at all times last.
    ways = sorted(groups.items(), key=lambda way: not any(way[0][:3]))
    return [
        _calendar(tuple(slugs), allow, deny, held, mode, at, zone)
        for (allow, deny, held, mode), slugs in ways
    ]


def touches(freeze: Freeze, service: Service, environment: Environment) -> bool:
    """Whether the freeze's scope contains the lane: `FreezeQuerySet.touching` over rows at hand."""
    if freeze.service_id:
        return freeze.service_id == service.pk
    if freeze.team_id:
        return freeze.team_id == service.team_id
    if freeze.environment_id:
        return freeze.environment_id == environment.pk
    return not freeze.tier or freeze.tier == environment.tier


def _calendar(
    services: tuple[str, ...],
    allow: tuple[Window, ...],
    deny: tuple[Window, ...],
    freezes: tuple[Freeze, ...],
    mode: str,
    at: datetime,
    zone: tzinfo,
) -> Calendar:
    today = at.astimezone(zone).date()
    first = today - timedelta(days=today.weekday())
    days = [first + timedelta(days=n) for n in range(DAYS + 1)]
    # As instants: two times of one zone are compared by their clocks, which may go back.
    edges = [datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in days]
    note = "observes only: nothing is held back" if mode == "observe" else ""
    try:
        usual = list_open(allow, deny, edges[0], edges[-1])
        frozen = [freeze_window(one) for one in freezes]
        spans = list_open(allow, [*deny, *frozen], edges[0], edges[-1]) if frozen else usual
    except InputError as error:
        return Calendar(services, note, (), error.sentence)
    told = [
        _day(day, _cut(usual, *ends), _cut(spans, *ends), ends, today, zone)
        for day, ends in zip(days, pairwise(edges), strict=False)
    ]
    weeks = tuple(tuple(told[n : n + 7]) for n in range(0, DAYS, 7))
    return Calendar(services, note or _note(allow, deny), weeks)


def _note(allow: Sequence[Window], deny: Sequence[Window]) -> str:
    if not allow and not deny:
        return "no windows: open unless frozen"
    zones = ", ".join(dict.fromkeys(window.zone for window in (*allow, *deny)))
    return f"windows written for {zones}"


def _day(
    day: date,
    usual: Spans,
    spans: Spans,
    ends: tuple[datetime, datetime],
    today: date,
    zone: tzinfo,
) -> Day:
    is_frozen = usual != spans
    if not spans:
        status, text = ("blocked", "frozen") if is_frozen else ("skipped", "closed")
    else:
        is_whole = spans == [ends]
        text = "all day" if is_whole else ", ".join(_say(span, ends[1], zone) for span in spans)
        status = "warned" if is_frozen else "passed"
    return Day(day, status, text, is_frozen, day == today, day < today)


def _cut(spans: Spans, since: datetime, until: datetime) -> Spans:
    return [
        (max(begin, since), min(end, until))
        for begin, end in spans
        if begin < until and end > since
    ]


def _say(span: tuple[datetime, datetime], midnight: datetime, zone: tzinfo) -> str:
    begin, end = (moment.astimezone(zone) for moment in span)
    last = "24:00" if span[1] == midnight else f"{end:%H:%M}"
    return f"{begin:%H:%M}\u2013{last}"
