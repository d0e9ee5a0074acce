"""From normalised facts to rows: one module per kind of fact, one explicit table."""

from collections.abc import Callable

from .artifacts import record_artifact
from .builds import record_build
from .deployments import record_deployment
from .others import (
    record_approval,
    record_change,
    record_evidence,
    record_incident,
    record_observation,
)
from .recorded import Recorded, Taking

RECORDERS: dict[str, Callable[[Taking], Recorded]] = {
    "build": record_build,
    "artifact": record_artifact,
    "evidence": record_evidence,
    "deployment": record_deployment,
    "incident": record_incident,
    "observation": record_observation,
    "approval": record_approval,
    "change": record_change,
}

__all__ = ["RECORDERS", "Recorded", "Taking"]
