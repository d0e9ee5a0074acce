"""What addresses and pages ask, checked before anything is read or done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.dateparse import parse_datetime

from metrics.measures.base import Filters
from metrics.measures.periods import Period
from promotion.models import Environment, Service, Team

PRESETS = {"30": 30, "90": 90, "365": 365}
DEFAULT_PRESET = "90"
CUSTOM = "custom"
LONGEST = timedelta(days=3660)
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the measures: over which days, narrowed to what, known by when."""

    period: Period
    preset: str
    filters: Filters
    as_of: datetime
    is_now: bool
    problems: tuple[str, ...] = ()
    asked_at: datetime | None = None

    @property
    def before(self) -> Period:
        """The period of the same length just before."""
        length = self.period.to - self.period.from_
        return Period(self.period.from_ - length, self.period.from_, self.period.zone)

    @property
    def is_narrowed(self) -> bool:
        """Whether the figures are of a part only."""
        return self.filters != Filters()

    def query(self) -> dict[str, str]:
        """What an address needs to ask the same again."""
        dates = {"from": self.period.from_.isoformat(), "to": self.period.to.isoformat()}
        found = dates if self.preset == CUSTOM else {"period": self.preset}
        for name in ("team", "service", "environment", "kind"):
            value = getattr(self.filters, name)
            if value:
                found[name] = value
        if not self.is_now:
            found["as_of"] = self.as_of.isoformat()
        return found


class MomentField(forms.CharField):
    """An RFC 3339 time with its zone."""

    def clean(self, value: Any) -> datetime | None:
        """The time in UTC; empty is none."""
        text = (value or "").strip().replace(" ", "+")
        if not text:
            return None
        try:
            found = parse_datetime(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise forms.ValidationError(
                "as_of is a time with its zone, such as 2026-11-23T15:00:00Z."
            )
        if found.year < EARLIEST.year:
            raise forms.ValidationError("as_of lies before 2000.")
        try:
            return found.astimezone(UTC)
        except OverflowError as error:
            raise forms.ValidationError("as_of lies outside of the calendar.") from error


def _date_field(name: str) -> forms.DateField:
    sentence = f"{name} is a date such as 2026-11-23."
    return forms.DateField(
        required=False, input_formats=["%Y-%m-%d"], error_messages={"invalid": sentence}
    )


class QuestionForm(forms.Form):
    """The filters of the measures, as they stand in an address."""

    period = forms.CharField(required=False)
    team = forms.CharField(required=False)
    service = forms.CharField(required=False)
    environment = forms.CharField(required=False)
    kind = forms.ChoiceField(
        required=False,
        choices=[(each, each) for each in ("normal", "hotfix", "rollback")],
        error_messages={"invalid_choice": "kind is normal, hotfix or rollback."},
    )
    as_of = MomentField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is a word of the language, so these two cannot be attributes.
        self.fields["from"] = _date_field("from")
        self.fields["to"] = _date_field("to")

    def clean_period(self) -> str:
        """One of the lengths offered, or custom."""
        text = str(self.cleaned_data["period"])
        if text and text not in PRESETS and text != CUSTOM:
            raise forms.ValidationError("period is 30, 90 or 365 days, or custom.")
        return text

    def _known(self, name: str, model: type[Team | Service | Environment]) -> str:
        slug = str(self.cleaned_data[name]).replace("\x00", "")
        if slug and not model._default_manager.filter(slug=slug).exists():
            raise forms.ValidationError(f"There is no {name} called {slug[:100]}.")
        return slug

    def clean_team(self) -> str:
        """A team there is."""
        return self._known("team", Team)

    def clean_service(self) -> str:
        """A service there is."""
        return self._known("service", Service)

    def clean_environment(self) -> str:
        """An environment there is."""
        return self._known("environment", Environment)


def read_question(given: Mapping[str, Any], at: datetime) -> Asked:
    """The question an address asks at a time; what cannot be used is left out and told."""
    form = QuestionForm(given)
    form.is_valid()
    problems = [str(error) for errors in form.errors.values() for error in errors]
    found = form.cleaned_data
    as_of = found.get("as_of")
    if as_of is not None and as_of > at:
        problems.append("as_of lies in the future; the figures are as of now.")
        as_of = None
    period, preset, problem = _read_period(found, as_of or at)
    return Asked(
        period=period,
        preset=preset,
        filters=Filters(
            team=found.get("team") or None,
            service=found.get("service") or None,
            environment=found.get("environment") or None,
            kind=found.get("kind") or None,
        ),
        as_of=as_of or at,
        is_now=as_of is None,
        problems=tuple([*problems, problem] if problem else problems),
        asked_at=at,
    )


def _read_period(found: Mapping[str, Any], at: datetime) -> tuple[Period, str, str]:
    zone = settings.TIME_ZONE
    tomorrow = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    from_, to = found.get("from"), found.get("to")
    last_begin = EARLIEST + timedelta(days=PRESETS[DEFAULT_PRESET])
    preset = found.get("period") or ""
    problem = ""
    if (from_ or to) and preset in ("", CUSTOM):
        to = to or tomorrow
        from_ = from_ or max(to, last_begin) - timedelta(days=PRESETS[DEFAULT_PRESET])
        if from_ >= to:
            problem = "The period ends before it begins; shown are the last 90 days."
        elif from_ < EARLIEST or to - from_ > LONGEST:
            problem = "The period is longer than ten years or begins before 2000; shown are the last 90 days."
        else:
            return Period(from_, to, zone), CUSTOM, ""
    preset = preset if preset in PRESETS else DEFAULT_PRESET
    return Period(tomorrow - timedelta(days=PRESETS[preset]), tomorrow, zone), preset, problem


class TargetForm(forms.Form):
    """A target for a measure: per cent for shares and rates, hours for times; empty ends it."""

    value = forms.FloatField(required=False, min_value=0, max_value=100_000)
    team = forms.CharField(required=False)
    service = forms.CharField(required=False)


class ObjectionForm(forms.Form):
    """What somebody disputes of a check."""

    statement_id = forms.CharField(max_length=100)
    counterexample = forms.CharField(required=False, max_length=300)
    reason = forms.CharField(
        max_length=2000, error_messages={"required": "Say why. Nothing was changed."}
    )


class DecisionForm(forms.Form):
    """What somebody else decides of it."""

    decision = forms.ChoiceField(
        choices=[("accept", "Accept"), ("reject", "Reject")],
        error_messages={"required": "Choose accept or reject. Nothing was changed."},
    )
    outcome = forms.CharField(
        max_length=2000, error_messages={"required": "Say why. Nothing was changed."}
    )
