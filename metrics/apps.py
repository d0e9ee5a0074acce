"""The application that goes from facts to a picture."""

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    """Its name and title."""

    name = "metrics"
    verbose_name = "Measures and maturity"
