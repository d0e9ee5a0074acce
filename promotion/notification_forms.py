"""What people may send with the pages of notifications, checked for shape."""

from typing import Any

from django import forms

from promotion.actions.channels import NewChannel, teams_for
from promotion.configuration_forms import ProblemForm
from promotion.models import Environment, NoticeKind, NotificationChannel, Service, Team, User

USUAL = (NoticeKind.WAITING, NoticeKind.FAILED, NoticeKind.STUCK, NoticeKind.EMERGENCY)


class ChannelForm(ProblemForm):
    """A new channel."""

    name = forms.CharField(max_length=100, help_text="As people call it: #releases")
    form = forms.ChoiceField(
        label="What is at the other end",
        choices=[("", "Choose…"), *NotificationChannel.Form.choices],
        help_text="Slack, Mattermost and Rocket.Chat take an incoming webhook; a program of yours a"
        " signed one",
    )
    address = forms.CharField(
        max_length=1000,
        help_text="The URL that messages are posted to; stored encrypted, not shown again",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label="The whole organisation",
    )
    kinds = forms.MultipleChoiceField(
        label="Hears of",
        choices=NoticeKind.choices,
        initial=[kind.value for kind in USUAL],
        widget=forms.CheckboxSelectMultiple,
    )
    services = forms.ModelMultipleChoiceField(
        Service.objects.all(),
        to_field_name="slug",
        required=False,
        help_text="None chosen = every service of the team, or all",
    )
    environments = forms.ModelMultipleChoiceField(
        Environment.objects.all(),
        to_field_name="slug",
        required=False,
        help_text="None chosen = every environment",
    )

    def __init__(self, person: User, data: Any = None) -> None:
        super().__init__(data, auto_id="channel-%s")
        field: Any = self.fields["team"]
        field.queryset = teams_for(person)
        if not person.may_configure():
            field.required, field.empty_label = True, "Choose…"

    @property
    def wanted(self) -> NewChannel:
        """As the action wants it."""
        given = self.cleaned_data
        return NewChannel(
            name=given["name"],
            form=given["form"],
            address=given["address"],
            kinds=given["kinds"],
            team=given["team"],
            services=tuple(given["services"]),
            environments=tuple(given["environments"]),
        )
