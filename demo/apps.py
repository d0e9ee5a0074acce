"""The demonstration organisation."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Its name and title."""

    name = "demo"
    verbose_name = "Demonstration"
