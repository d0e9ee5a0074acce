"""What people may send with the pages, checked for shape; the actions judge the meaning."""

from collections.abc import Mapping
from typing import Any

from django import forms

from promotion.actions.break_glass import LONGEST_REASON as LONGEST_EMERGENCY
from promotion.actions.checking import LONGEST_LINK
from promotion.actions.exceptions import LONGEST, LONGEST_REASON
from promotion.actions.resolve_step import Resolution
from promotion.actions.review import LONGEST_WORDS as LONGEST_REVIEW
from promotion.actions.tell_cause import LONGEST_WORDS as LONGEST_CAUSE
from promotion.exceptions import InputError
from promotion.models import BreakGlass, Promotion, User
from promotion.rules.pipeline import AskForm, StageForm

ASKED = "asked-"
LONGEST_WORDS = 2000


class DecisionForm(forms.Form):
    """A decision on exactly the content that the page showed."""

    content_hash = forms.CharField(max_length=71)
    comment = forms.CharField(required=False, max_length=LONGEST_WORDS)


class ReasonForm(forms.Form):
    """An act with a reason, which goes onto the record."""

    reason = forms.CharField(required=False, max_length=LONGEST_WORDS)


class ResolutionForm(forms.Form):
    """What became of a step whose outcome is unknown."""

    resolution = forms.ChoiceField(choices=[(one.value, one.value) for one in Resolution])


class ExceptionForm(forms.Form):
    """Which gate a release is let past, why, who answers for it, and until when."""

    gate = forms.ChoiceField()
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        to_field_name="username",
        help_text="Answers for it, and may revoke it.",
    )
    ends_at = forms.DateTimeField(
        label="Ends",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=f"At most {LONGEST.days} days from now.",
    )
    reason = forms.CharField(max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, gates: Mapping[str, str], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="exception-%s")
        self.fields["gate"] = forms.ChoiceField(choices=list(gates.items()))


class StopForm(ReasonForm):
    """Why a running promotion is stopped, and what follows."""

    then = forms.ChoiceField(choices=Promotion.StopThen.choices)


class BreakGlassForm(forms.Form):
    """An emergency: of which content, why, and the incident it is for."""

    content_hash = forms.CharField(max_length=71, widget=forms.HiddenInput)
    incident_url = forms.CharField(
        label="Link to the incident",
        max_length=LONGEST_LINK,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
    )
    reason = forms.CharField(max_length=LONGEST_EMERGENCY, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="glass-%s", **kwargs)


class ReviewForm(forms.Form):
    """What somebody else says of a broken glass."""

    outcome = forms.ChoiceField(choices=BreakGlass.Outcome.choices)
    words = forms.CharField(
        label="What you found",
        max_length=LONGEST_REVIEW,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="review-%s", **kwargs)


class CauseForm(forms.Form):
    """Why a promotion ended badly, and what is done about it."""

    cause = forms.ChoiceField(choices=[("", "Choose…"), *Promotion.Cause.choices])
    words = forms.CharField(
        label="What happened",
        max_length=LONGEST_CAUSE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    action = forms.CharField(
        label="What is done about it",
        max_length=LONGEST_CAUSE,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        to_field_name="username",
        empty_label="Choose…",
    )
    due = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    url = forms.CharField(
        label="Where it is tracked",
        required=False,
        max_length=LONGEST_LINK,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="cause-%s", **kwargs)


class RequestForm(forms.Form):
    """The fields a stage asks for, and when and why the promotion may start."""

    kind = forms.ChoiceField(
        choices=[(Promotion.Kind.NORMAL, "Normal"), (Promotion.Kind.HOTFIX, "Hotfix")],
        initial=Promotion.Kind.NORMAL,
    )
    not_before = forms.DateTimeField(
        label="Not before",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="It starts no earlier, even when every gate is open.",
    )

    def __init__(self, stage: StageForm, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stage = stage
        asked = {f"{ASKED}{ask.name}": _asked_field(ask) for ask in stage.ask}
        self.fields = {**asked, **self.fields}
        self.order_fields([*asked, "kind", "not_before"])

    @property
    def answers(self) -> dict[str, str]:
        """What was answered to the stage's own fields; empty answers are left out."""
        return {
            name.removeprefix(ASKED): value
            for name, value in self.cleaned_data.items()
            if name.startswith(ASKED) and value
        }

    def add_problem(self, error: InputError) -> None:
        """Puts an action's refusal under the field it speaks of, else above them all."""
        name = f"{ASKED}{error.key}"
        self.add_error(name if name in self.fields else None, error.sentence)


def _asked_field(ask: AskForm) -> forms.Field:
    settings: Mapping[str, Any] = {
        "label": ask.name[:1].upper() + ask.name[1:].replace("_", " ").replace("-", " "),
        "required": ask.required,
    }
    if ask.kind == "choice":
        choices = [(one, one) for one in ask.choices]
        return forms.ChoiceField(choices=[("", "Choose…"), *choices], **settings)
    hint = f"Must match {ask.pattern}" if ask.pattern else ""
    if ask.kind == "link":
        # The action says what a link is; the browser's own check would say it in its own words.
        widget = forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"})
        return forms.CharField(max_length=LONGEST_WORDS, widget=widget, help_text=hint, **settings)
    is_long = ask.pattern is None
    widget_kind = forms.Textarea(attrs={"rows": 3}) if is_long else forms.TextInput()
    return forms.CharField(max_length=LONGEST_WORDS, widget=widget_kind, help_text=hint, **settings)


def refusal_of(form: forms.Form) -> InputError:
    """The first thing wrong with a form, as our own error."""
    for name, problems in form.errors.items():
        words = " ".join(str(problem) for problem in problems)
        return InputError(
            f"{name.replace('_', ' ').capitalize()}: {words} Nothing was changed.", key=name
        )
    raise ValueError("Nothing is wrong with the form.")
