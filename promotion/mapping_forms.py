"""What people may send to map events to the catalog, checked for shape; the actions judge the meaning."""

from typing import Any

from django import forms

from promotion.configuration_forms import ProblemForm
from promotion.models import Environment, Mapping, Sender, Service, Team

FIELDS = (
    "sender",
    "repository_pattern",
    "job_pattern",
    "image_pattern",
    "environment_pattern",
    "service",
    "environment",
    "is_deployment",
    "is_ignored",
    "priority",
)


class RuleForm(ProblemForm):
    """A mapping rule."""

    sender = forms.ModelChoiceField(
        Sender.objects.none(), to_field_name="slug", required=False, empty_label="every sender"
    )
    repository_pattern = forms.CharField(
        label="Repository",
        max_length=300,
        required=False,
        help_text="As the tool says it, without host; * stands for anything: acme/*",
    )
    job_pattern = forms.CharField(
        label="Job, application or service",
        max_length=300,
        required=False,
        help_text="As the tool calls the workflow, pipeline, application or service",
    )
    image_pattern = forms.CharField(
        label="Image", max_length=300, required=False, help_text="Path in the registry: */shop-web"
    )
    environment_pattern = forms.CharField(
        label="Environment name", max_length=300, required=False, help_text="As the tool calls it"
    )
    service = forms.ModelChoiceField(
        Service.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label="found by the names",
        label="Is the service",
    )
    environment = forms.ModelChoiceField(
        Environment.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label="found by the names",
        label="In the environment",
    )
    is_deployment = forms.BooleanField(
        label="This job is the deployment",
        required=False,
        help_text="A build that matches also counts as a deployment to the environment chosen",
    )
    is_ignored = forms.BooleanField(
        label="Ignore what matches", required=False, help_text="It becomes nothing"
    )
    priority = forms.IntegerField(
        min_value=0, max_value=9999, initial=100, help_text="The smallest is asked first"
    )
    is_off = forms.BooleanField(
        label="Switched off",
        required=False,
        help_text="It is kept and not asked; what was recorded by it stays",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("sender", Sender.objects.defer("secret", "previous_secret"))
        self._offer("service", Service.objects.all())
        self._offer("environment", Environment.objects.all())

    def _offer(self, name: str, rows: Any) -> None:
        field: Any = self.fields[name]
        field.queryset = rows

    def fill(self, rule: Mapping) -> Mapping:
        """The rule with what was typed; not saved."""
        for name in FIELDS:
            setattr(rule, name, self.cleaned_data[name])
        rule.is_active = not self.cleaned_data["is_off"]
        return rule


class ServiceForm(ProblemForm):
    """A new service."""

    slug = forms.CharField(
        label="Name", max_length=100, help_text="Letters, digits, dots, dashes, underscores"
    )
    team = forms.ModelChoiceField(Team.objects.none(), to_field_name="slug", empty_label="Choose…")
    repository = forms.CharField(
        max_length=300, required=False, help_text="Path without host: acme/shop"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["team"]
        field.queryset = Team.objects.all()


class IgnoreForm(forms.Form):
    """The patterns of events that are to be ignored."""

    repository_pattern = forms.CharField(max_length=300, required=False)
    job_pattern = forms.CharField(max_length=300, required=False)
    image_pattern = forms.CharField(max_length=300, required=False)
    environment_pattern = forms.CharField(max_length=300, required=False)
