"""Facts, their sums, targets, assessments, checks, levels and who looked at the measures."""

from .alone import HandIn, OwnAnswer
from .annotation import Annotation
from .anomaly import Anomaly
from .assessment import Answer, Assessment
from .check import CheckDispute, CheckResult, TeamLevel
from .evidence_file import EvidenceFile
from .fact import (
    AsideFact,
    CohortFact,
    ExecutionFact,
    IncidentFact,
    IntentFact,
    SpanFact,
    TargetFact,
    TraceFact,
)
from .flow import ControlFact, FlowFact, WaitFact
from .improvement import Improvement
from .page_view import PageView
from .rollup import Rollup, ServiceState, StaleService
from .sharing import Share, Sharing
from .target import MeasureTarget

__all__ = [
    "Annotation",
    "Anomaly",
    "Answer",
    "AsideFact",
    "Assessment",
    "CheckDispute",
    "CheckResult",
    "CohortFact",
    "ControlFact",
    "EvidenceFile",
    "ExecutionFact",
    "FlowFact",
    "HandIn",
    "Improvement",
    "IncidentFact",
    "IntentFact",
    "MeasureTarget",
    "OwnAnswer",
    "PageView",
    "Rollup",
    "ServiceState",
    "Share",
    "Sharing",
    "SpanFact",
    "StaleService",
    "TargetFact",
    "TeamLevel",
    "TraceFact",
    "WaitFact",
]
