"""From the promotion tables to the plain facts that the measures are computed from."""

from .clocks import Clocks, read_clocks
from .linked import find_linked
from .loading import load_homeless, load_record
from .naming import (
    deployment_key,
    observation_key,
    promotion_key,
    split_fact_id,
)
from .tracking import tracked_since

__all__ = [
    "Clocks",
    "deployment_key",
    "find_linked",
    "load_homeless",
    "load_record",
    "observation_key",
    "promotion_key",
    "read_clocks",
    "split_fact_id",
    "tracked_since",
]
