"""What people may send with the pages of the set-up, checked for shape; the actions judge the meaning."""

from collections.abc import Mapping
from typing import Any

from django import forms

from promotion.actions.freeze import Scope
from promotion.exceptions import InputError
from promotion.models import Environment, Service, Team, Tier, Token
from promotion.sources.known import SOURCES
from promotion.sources.own_keys.base import OwnKey

LONGEST_PIPELINE = 200_000
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ProblemForm(forms.Form):
    """A form that shows an action's refusal under the field it speaks of."""

    def add_problem(self, error: InputError) -> None:
        """Under the field of the error's key, else above them all."""
        self.add_error(error.key if error.key in self.fields else None, error.sentence)


class SenderForm(ProblemForm):
    """A new sender."""

    name = forms.CharField(max_length=200, help_text="As people call it: GitHub of the platform")
    slug = forms.CharField(
        label="Address",
        max_length=100,
        help_text="The end of the URL the tool delivers to; letters, digits, dashes",
    )
    kind = forms.ChoiceField(label="Tool")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = sorted(
            ((kind, source.title) for kind, source in SOURCES.items()),
            key=lambda one: one[1].lower(),
        )
        self.fields["kind"] = forms.ChoiceField(
            label="Tool", choices=[("", "Choose…"), *titles], help_text="Whose format it sends"
        )


class OwnSecretForm(ProblemForm):
    """A secret that the tool made itself."""

    given = forms.CharField(
        label="The tool's own secret",
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Where the tool makes it and takes none: Buildkite, PagerDuty",
    )


class SignatureForm(ProblemForm):
    """Whose signature with the tool's own key is believed."""

    signed_by = forms.CharField(max_length=300, required=False)

    def __init__(self, own: OwnKey, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="signature-%s", **kwargs)
        self.fields["signed_by"].label = own.asks
        self.fields["signed_by"].help_text = f"{own.hint} Empty = the secret is the proof"


class TokenForm(ProblemForm):
    """A new key of the API."""

    OWNERS = (("me", "Me: it acts as I may"), ("machine", "Nobody: a machine that sends or reads"))

    name = forms.CharField(max_length=100, help_text="What uses it")
    owner = forms.ChoiceField(label="Belongs to", choices=OWNERS)
    scopes = forms.MultipleChoiceField(
        choices=Token.Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    expires_at = forms.DateTimeField(label="Ends", required=False, widget=MOMENT)


class FreezeForm(ProblemForm):
    """A freeze that begins now."""

    scope = forms.ChoiceField(label="What is frozen")
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    ends_at = forms.DateTimeField(
        label="Ends", required=False, widget=MOMENT, help_text="Without an end until it is lifted"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[Any] = [("", "Choose…"), ("everything", "Everything")]
        choices.append(("Tiers", [(f"tier:{value}", name) for value, name in Tier.choices]))
        for title, kind, rows in (
            ("Environments", "environment", Environment.objects.all()),
            ("Teams", "team", Team.objects.all()),
            ("Services", "service", Service.objects.all()),
        ):
            choices.append((title, [(f"{kind}:{one.slug}", str(one)) for one in rows]))
        self.fields["scope"] = forms.ChoiceField(label="What is frozen", choices=choices)

    @property
    def chosen(self) -> Scope:
        """The scope as the action wants it."""
        kind, _, name = self.cleaned_data["scope"].partition(":")
        if kind == "tier":
            return Scope(tier=name)
        if kind == "environment":
            return Scope(environment=Environment.objects.get(slug=name))
        if kind == "team":
            return Scope(team=Team.objects.get(slug=name))
        if kind == "service":
            return Scope(service=Service.objects.select_related("team__parent").get(slug=name))
        return Scope()


class LockForm(ProblemForm):
    """A lock that begins now."""

    environment = forms.ModelChoiceField(
        Environment.objects.all(), to_field_name="slug", empty_label="Choose…"
    )
    service = forms.ModelChoiceField(
        Service.objects.select_related("team__parent"),
        to_field_name="slug",
        required=False,
        empty_label="Every service",
    )
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    ends_at = forms.DateTimeField(
        label="Ends", required=False, widget=MOMENT, help_text="Without an end until it is released"
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="lock-%s", **kwargs)


class PipelineTextForm(ProblemForm):
    """The YAML of a pipeline, and why it is applied; who only checks it need not say why."""

    text = forms.CharField(
        label="YAML",
        max_length=LONGEST_PIPELINE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "tall", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed to apply it; it stays with the version and on the audit record",
    )

    def clean_text(self) -> str:
        """Browsers end lines in a way of their own; kept are the lines."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n").replace("\r", "\n")
