"""The application that goes from facts to a picture."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class MetricsConfig(AppConfig):
    """Its name and title."""

    name = "metrics"
    verbose_name = "Measures and maturity"

    def ready(self) -> None:
        """What notes a change lies in the database, so it is laid when the tables are there."""
        pre_migrate.connect(_make_way, sender=self)
        post_migrate.connect(_watch, sender=self)


def _make_way(*, using: str, plan: Any = (), **_: Any) -> None:
    from metrics.rollups.watching import take_triggers_away

    if any(migration.app_label in ("promotion", "metrics") for migration, _ in plan):
        take_triggers_away(using)


def _watch(*, using: str, **_: Any) -> None:
    from metrics.rollups.watching import lay_triggers

    lay_triggers(using)
