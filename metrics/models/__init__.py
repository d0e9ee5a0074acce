"""Targets, assessments and who looked at the measures."""

from .assessment import Answer, Assessment
from .page_view import PageView
from .target import MeasureTarget

__all__ = ["Answer", "Assessment", "MeasureTarget", "PageView"]
