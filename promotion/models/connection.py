"""Where the outside systems are that steps and gates use."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from .catalog import name_validator
from .secret import SecretField


class Connection(models.Model):
    """A named outside system with its credentials; pipelines name it and hold no secrets."""

    class Kind(models.TextChoices):
        """What is at the other end."""

        OCI_LAYOUT = "oci-layout", "Directory of OCI image layouts"
        OCI_REGISTRY = "oci-registry", "OCI registry"
        GIT = "git", "Git repository"
        HTTP = "http", "HTTP service"
        PROMETHEUS = "prometheus", "Prometheus"

    name = models.CharField(max_length=100, unique=True, validators=[name_validator])
    kind = models.CharField(max_length=20, choices=Kind.choices)
    address = models.CharField(
        max_length=500,
        help_text="URL, or a directory of this machine for a layout or a bare repository",
    )
    username = models.CharField(max_length=200, blank=True)
    secret = SecretField(
        blank=True, default="", help_text="password, token or signing secret; stored encrypted"
    )
    settings: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class AllowedNetwork(models.Model):
    """A private network that outgoing calls may reach, because an administrator says so."""

    network = models.CharField(
        max_length=50, unique=True, help_text="CIDR, e.g. 10.1.0.0/16 or 127.0.0.1/32"
    )
    port = models.PositiveIntegerField(null=True, blank=True, help_text="none = every port")
    reason = models.CharField(max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.network if self.port is None else f"{self.network} port {self.port}"
