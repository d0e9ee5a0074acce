"""From values to figures: the only package that knows Plotly's format."""

from .durations import Mean, draw_parts, draw_spans
from .failures import draw_failures
from .frame import Chart
from .levels import draw_calibration, draw_levels
from .marks import Mark, mark_chart
from .shares import draw_classes, draw_links, draw_share, draw_shares
from .sparkline import Sparkline, draw_sparkline

__all__ = [
    "Chart",
    "Mark",
    "Mean",
    "Sparkline",
    "draw_calibration",
    "draw_classes",
    "draw_failures",
    "draw_levels",
    "draw_links",
    "draw_parts",
    "draw_share",
    "draw_shares",
    "draw_spans",
    "draw_sparkline",
    "mark_chart",
]
