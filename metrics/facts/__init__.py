"""From the promotion tables to the plain facts that the measures are computed from."""

from .loading import load_record
from .naming import (
    deployment_key,
    observation_key,
    promotion_key,
    split_fact_id,
)
from .tracking import tracked_since

__all__ = [
    "deployment_key",
    "load_record",
    "observation_key",
    "promotion_key",
    "split_fact_id",
    "tracked_since",
]
