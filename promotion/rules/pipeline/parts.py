"""Reads the parts of a stage: gates, steps, approval rules, windows, fields asked for, waves."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from promotion.exceptions import InputError
from promotion.rules.windows import Window, validate_window

from .fields import Fields, Problems, describe
from .forms import (
    DEFAULT_APPROVAL_EXPIRES,
    DEFAULT_EXCLUDE,
    DEFAULT_RETRIES,
    ApprovalForm,
    AskForm,
    AskKind,
    GateForm,
    StepForm,
    WaveForm,
    WindowsForm,
)
from .problems import suggest
from .tree import Place

ROLES = ("viewer", "member", "release manager", "platform engineer", "auditor", "administrator")
EXCLUDABLE = ("requester", "authors", "policy_editors")
ASK_KINDS: tuple[AskKind, ...] = ("text", "choice", "link")
LONGEST_PATTERN = 300
_KIND = re.compile(r"[a-z][a-z0-9-]*")


def read_gate(place: Place, problems: Problems) -> GateForm | None:
    """A gate: a bare kind, or {kind: {settings}}; `advisory` is taken out of the settings."""
    kind, settings = _read_kind(place, problems, "A gate")
    if kind is None:
        return None
    fields = Fields(settings, problems, f"the gate {kind}")
    return GateForm(kind, _rest(settings, ("advisory",)), fields.flag("advisory"), place.line)


def read_step(place: Place, problems: Problems) -> StepForm | None:
    """A step: a bare kind, or {kind: {settings}}; timeout and retries are taken out."""
    kind, settings = _read_kind(place, problems, "A step")
    if kind is None:
        return None
    fields = Fields(settings, problems, f"the step {kind}")
    return StepForm(
        kind,
        _rest(settings, ("timeout", "retries")),
        fields.duration("timeout"),
        fields.count("retries", DEFAULT_RETRIES, least=0, most=100),
        place.line,
    )


def _read_kind(place: Place, problems: Problems, what: str) -> tuple[str | None, Place]:
    """The kind and the place of its settings, whose keys leave the kind out (gates[1].for)."""
    nothing = Place({}, place.line, place.key)
    value = place.value
    kind = value if isinstance(value, str) else None
    settings = nothing
    if isinstance(value, dict) and len(value) == 1:
        ((kind, entry),) = value.items()
        settings = nothing if entry.value is None else entry
    if kind is None or not _KIND.fullmatch(kind):
        problems.add(
            place, f"{what} is a kind, or one kind with its settings, not {describe(place)}."
        )
        return None, nothing
    if not isinstance(settings.value, dict):
        problems.add(
            settings, f"The settings of {kind} must be a mapping, not {describe(settings)}."
        )
        return None, nothing
    moved = _move(settings, settings.key, place.key)
    problems.note_lines(Place(moved.value, place.line, place.key))
    return kind, moved


def _move(place: Place, old: str, new: str) -> Place:
    """The same place under another key."""
    value = place.value
    if isinstance(value, dict):
        value = {name: _move(entry, old, new) for name, entry in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_move(entry, old, new) for entry in value)
    return Place(value, place.line, new + place.key[len(old) :])


def _rest(settings: Place, taken: Iterable[str]) -> dict[str, object]:
    return {name: item for name, item in settings.plain().items() if name not in taken}


def read_approval(place: Place, problems: Problems) -> ApprovalForm:
    """An approval rule; who may approve by default: release managers."""
    known = ("name", "count", "from", "exclude", "expires", "fallback", "when")
    fields = Fields(place, problems, "an approval rule", known)
    written = fields.texts("from", ("role:release manager",))
    if not written:
        fields.problem("from", "Nobody could approve: from is empty.")
    fallback = fields.optional_text("fallback")
    return ApprovalForm(
        name=fields.text("name", " or ".join(written)),
        count=fields.count("count", 1, least=1, most=100),
        from_=tuple(_read_people(entry, "from", fields) for entry in written),
        exclude=fields.choices("exclude", DEFAULT_EXCLUDE, EXCLUDABLE),
        expires=fields.duration("expires") or DEFAULT_APPROVAL_EXPIRES,
        fallback=None if fallback is None else _read_people(fallback, "fallback", fields),
        when=fields.optional_text("when"),
        line=place.line,
    )


def _read_people(entry: str, name: str, fields: Fields) -> str:
    """An entry with its prefix: role:R, group:G, team:T:R or user:U; a bare word is a group."""
    prefix, colon, rest = (part.strip() for part in entry.partition(":"))
    if not colon:
        return f"group:{prefix}"
    if prefix not in ("role", "group", "team", "user"):
        known = suggest(prefix, ("role", "group", "team", "user"))
        fields.problem(name, f'"{entry}" names nobody: "{prefix}" is not known{known}')
        return entry
    role = rest.rpartition(":")[2].strip() if prefix == "team" else rest
    whole = f"{prefix}:{rest}"
    if not rest or (prefix == "team" and not re.fullmatch(r"[^:\s]+\s*:\s*[^:]+", rest)):
        forms = "role:ROLE, group:NAME, team:TEAM:ROLE or user:NAME"
        fields.problem(name, f'"{entry}" names nobody; write {forms}.')
    elif prefix in ("role", "team") and role not in ROLES:
        fields.problem(name, f'"{role}" is no role{suggest(role, ROLES)}')
    elif prefix == "team":
        whole = f"team:{rest.partition(':')[0].strip()}:{role}"
    return whole


def read_windows(place: Place | None, problems: Problems) -> WindowsForm:
    """The allow and deny windows."""
    if place is None or place.value is None:
        return WindowsForm()
    fields = Fields(place, problems, "windows", ("allow", "deny"))
    allow = [_read_window(entry, problems) for entry in fields.items("allow")]
    deny = [_read_window(entry, problems) for entry in fields.items("deny")]
    return WindowsForm(
        tuple(window for window in allow if window is not None),
        tuple(window for window in deny if window is not None),
    )


def _read_start(fields: Fields) -> datetime | None:
    """The wall-clock time at which a window first opens."""
    text = fields.optional_text("start")
    if text is None:
        if not fields.has("start"):
            fields.problem(
                "start", "start is missing: when the window first opens, as 2026-01-05T08:00."
            )
        return None
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        fields.problem("start", f'"{text}" is no time; write it as 2026-01-05T08:00.')
        return None
    if start.tzinfo is None:
        return start
    fields.problem("start", "start is wall-clock time; leave its offset out and name a zone.")
    return None


def _read_window(place: Place, problems: Problems) -> Window | None:
    """A window: start (wall-clock time of zone), duration, rrule."""
    fields = Fields(place, problems, "a window", ("rrule", "start", "duration", "zone"))
    if not isinstance(place.value, dict):
        return None
    before = len(problems.found)
    start = _read_start(fields)
    rrule, zone = fields.optional_text("rrule"), fields.text("zone", "UTC")
    duration = fields.duration("duration")
    if start is None or len(problems.found) > before:
        return None
    window = Window(start=start, zone=zone, duration=duration, rrule=rrule)
    # One part more each time: the first refusal is of the part that was added.
    parts = {
        "start": replace(window, zone="UTC", rrule=None),
        "zone": replace(window, rrule=None),
        "rrule": window,
    }
    for name, part in parts.items():
        try:
            validate_window(part)
        except InputError as error:
            fields.problem(name, error.sentence)
            return None
    return window


def read_ask(place: Place, problems: Problems) -> AskForm:
    """A field of the request: text by default, choice where it has choices."""
    fields = Fields(place, problems, "a field", ("name", "required", "pattern", "choices", "kind"))
    choices = fields.texts("choices")
    kind = fields.choice("kind", "choice" if choices else ASK_KINDS[0], ASK_KINDS)
    if kind == "choice" and not choices:
        fields.problem("choices", "A choice needs choices.")
    if kind != "choice" and choices:
        fields.problem("choices", f"A {kind} has no choices; leave out kind or choices.")
    pattern = fields.optional_text("pattern")
    if pattern is not None:
        check_pattern(pattern, "pattern", fields)
        if kind == "choice":
            fields.problem("pattern", "A choice has no pattern.")
    name = fields.text("name", "")
    if not fields.has("name"):
        fields.problem("name", "name is missing.")
    return AskForm(name, fields.flag("required"), pattern, choices, kind)


def check_pattern(pattern: str, name: str, fields: Fields) -> re.Pattern[str] | None:
    """The compiled pattern; None after noting why it does not compile."""
    if len(pattern) > LONGEST_PATTERN:
        fields.problem(name, f"The pattern is longer than {LONGEST_PATTERN} characters.")
        return None
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        fields.problem(name, f"The pattern is no regular expression: {error}.")
        return None


def read_wave(place: Place, problems: Problems) -> WaveForm:
    """A wave: its targets and the pause after it, a time or the word person."""
    fields = Fields(place, problems, "a wave", ("targets", "pause"))
    targets = fields.names("targets")
    if not targets and not (fields.has("targets") and fields.entries["targets"].value):
        fields.problem("targets", "A wave needs targets.")
    pause = fields.entries.get("pause")
    if pause is not None and pause.value == "person":
        return WaveForm(targets, waits_for_person=True)
    return WaveForm(targets, fields.duration("pause"))
