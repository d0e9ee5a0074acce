"""Administration of people and catalog; what the engine writes is not changed here. Every change is audited."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from promotion.actions.audit import record
from promotion.exceptions import InputError
from promotion.integrity.git.ssh import SshAddress
from promotion.integrity.git.ssh_keys import PinnedKeys, is_private_key, read_private_key
from promotion.models import (
    AllowedNetwork,
    Connection,
    Environment,
    Membership,
    PersonAddress,
    Service,
    Target,
    Team,
    User,
)

HIDDEN = {"password", "secret", "private_key"}


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Writes an audit entry in the transaction of every change."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """Stores the row and what was changed of it, secrets left out."""
        if hasattr(obj, "created_at") and obj.created_at is None:
            obj.created_at = timezone.now()
        if isinstance(obj, AllowedNetwork) and not change:
            obj.created_by = _person(request)
        super().save_model(request, obj, form, change)
        changed = {
            name: "(hidden)" if name in HIDDEN else str(form.cleaned_data.get(name))
            for name in form.changed_data
        }
        _record(request, obj, "change" if change else "make", changed)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Records first: afterwards there is nothing to name."""
        _record(request, obj, "delete", {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one, so that each is recorded."""
        for obj in queryset:
            self.delete_model(request, obj)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (the admin site lets nobody else in)
    return request.user


def _record(request: HttpRequest, obj: models.Model, verb: str, changed: dict[str, str]) -> None:
    record(
        f"{obj._meta.model_name}.{verb}",
        obj,
        actor=_person(request),
        at=timezone.now(),
        details={"changed": changed},
    )


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """A person's roles."""

    model = Membership
    extra = 1


class AddressInline(admin.TabularInline):  # type: ignore[type-arg]
    """The addresses by which commits name the person."""

    model = PersonAddress
    extra = 1


class TargetInline(admin.TabularInline):  # type: ignore[type-arg]
    """The places of an environment."""

    model = Target
    extra = 1


@admin.register(User)
class PersonAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]
    """People with their roles and addresses."""

    inlines = (MembershipInline, AddressInline)
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Times", {"fields": ("time_zone",)}))


@admin.register(Team)
class TeamAdmin(AuditedAdmin):
    """Teams."""

    list_display = ("name", "slug", "parent")


@admin.register(Service)
class ServiceAdmin(AuditedAdmin):
    """Services."""

    list_display = ("slug", "team", "repository")
    list_filter = ("team",)
    search_fields = ("slug", "repository")
    exclude = ("next_look_at", "version_pattern", "artifact_names")


@admin.register(Environment)
class EnvironmentAdmin(AuditedAdmin):
    """Environments with their targets."""

    list_display = ("name", "slug", "tier", "rank")
    inlines = (TargetInline,)


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """A connection; what SSH needs has fields of its own, since a key has many lines."""

    private_key = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text="For git over SSH: the whole file that ssh-keygen wrote, without a passphrase."
        " Stored encrypted as the secret and never shown; left empty it stays as it is.",
    )
    known_hosts = forms.CharField(
        required=False,
        label="Host keys",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="For git over SSH: the host's lines of a known_hosts file, as ssh-keyscan prints"
        " them. Compare them with what the host's owner publishes: no other host is spoken to.",
    )

    class Meta:
        model = Connection
        exclude = ("created_at",)  # noqa: DJ006 - as the page had it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["known_hosts"] = self.instance.settings.get("known_hosts", "")

    def clean(self) -> dict[str, Any]:
        """Address and keys of a repository behind SSH are tried as a step would use them."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("private_key", "").strip():
            given["secret"] = given["private_key"]
        if isinstance(given.get("settings") or {}, dict) and "settings" not in self.errors:
            given["settings"] = _with_hosts(
                given.get("settings") or {}, given.get("known_hosts", "")
            )
        address = given.get("address", "")
        if given.get("kind") == Connection.Kind.GIT and SshAddress.is_one(address):
            self._check_ssh(address, given)
        return given

    def _check_ssh(self, address: str, given: dict[str, Any]) -> None:
        try:
            at = SshAddress.parse(address)
            PinnedKeys.read(given.get("known_hosts", ""), at.host, at.port)
            if is_private_key(given.get("secret") or ""):
                read_private_key(given["secret"])
        except InputError as error:
            self.add_error(error.key or "address", error.sentence)
            return
        if not given.get("secret") and not self.instance.secret:
            self.add_error("private_key", "Git over SSH needs a private key, or a password.")


def _with_hosts(settings: dict[str, Any], known_hosts: str) -> dict[str, Any]:
    """The settings with these host keys, or without any."""
    rest = {name: value for name, value in settings.items() if name != "known_hosts"}
    text = known_hosts.replace("\r\n", "\n").strip()
    return {**rest, "known_hosts": text} if text else rest


@admin.register(Connection)
class ConnectionAdmin(AuditedAdmin):
    """Connections; a stored secret is never shown, an empty field keeps it."""

    list_display = ("name", "kind", "address")
    form = ConnectionForm

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The secret is written and never read."""
        form = super().get_form(request, obj, change, **kwargs)
        form.base_fields["secret"].widget = forms.PasswordInput(render_value=False)
        form.base_fields["secret"].required = False
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """An empty secret field keeps what is stored."""
        if change and not form.cleaned_data.get("secret"):
            obj.secret = Connection.objects.values_list("secret", flat=True).get(pk=obj.pk)
        super().save_model(request, obj, form, change)


@admin.register(AllowedNetwork)
class AllowedNetworkAdmin(AuditedAdmin):
    """Private networks that outgoing calls may reach."""

    list_display = ("network", "port", "reason", "created_by", "created_at")
    exclude = ("created_by", "created_at")
