"""The application that goes from 'a tool told us' to 'it is deployed'."""

from django.apps import AppConfig


class PromotionConfig(AppConfig):
    """Its name and title."""

    name = "promotion"
    verbose_name = "Promotion"
