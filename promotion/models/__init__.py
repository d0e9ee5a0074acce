"""The nouns, and what may be true of them."""

from .access import Membership, PersonAddress, RefusedSignIn, Role, Token, User
from .approval import Approval
from .artifact import Artifact, ArtifactTag, Build, BuildArtifact, Commit, Release, RunResult
from .audit import AuditEntry, AuditSeal
from .backfill import BackfillRun
from .break_glass import BreakGlass, CheckedDigest
from .catalog import Environment, Service, Target, Team, Tier
from .connection import AllowedNetwork, Connection
from .deployment import Correction, Deployment, DeploymentReport, Observation, Verification
from .event import Event
from .evidence import Evidence
from .freeze import Freeze, GateException, Hold, Lock, Pin
from .gate_result import GateResult
from .gate_wait import GateWait
from .incident import Incident
from .mapping import Mapping
from .notification import (
    NoticeKind,
    Notification,
    NotificationChannel,
    NotificationChoice,
    NotificationDelivery,
)
from .pipeline import Pipeline, PipelineVersion
from .promotion import Promotion, Transition
from .reverification import Reverification, ReverificationSchedule
from .sender import Sender
from .step import StepRun
from .unresolved import UnresolvedReference
from .verdict import IncidentVerdict, RollbackVerdict

__all__ = [
    "AllowedNetwork",
    "Approval",
    "Artifact",
    "ArtifactTag",
    "AuditEntry",
    "AuditSeal",
    "BackfillRun",
    "BreakGlass",
    "Build",
    "BuildArtifact",
    "CheckedDigest",
    "Commit",
    "Connection",
    "Correction",
    "Deployment",
    "DeploymentReport",
    "Environment",
    "Event",
    "Evidence",
    "Freeze",
    "GateException",
    "GateResult",
    "GateWait",
    "Hold",
    "Incident",
    "IncidentVerdict",
    "Lock",
    "Mapping",
    "Membership",
    "NoticeKind",
    "Notification",
    "NotificationChannel",
    "NotificationChoice",
    "NotificationDelivery",
    "Observation",
    "PersonAddress",
    "Pin",
    "Pipeline",
    "PipelineVersion",
    "Promotion",
    "RefusedSignIn",
    "Release",
    "Reverification",
    "ReverificationSchedule",
    "Role",
    "RollbackVerdict",
    "RunResult",
    "Sender",
    "Service",
    "StepRun",
    "Target",
    "Team",
    "Tier",
    "Token",
    "Transition",
    "UnresolvedReference",
    "User",
    "Verification",
]
