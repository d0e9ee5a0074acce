"""Every kind of gate: our own, and those that other applications offer by name in the settings."""

from django.conf import settings
from django.utils.module_loading import import_string

from .approval import ApprovalGate
from .base import Gate
from .checksum import ChecksumGate
from .debt import DebtGate
from .expression import ExpressionGate
from .http import HttpGate
from .lock import LockGate
from .metric import MetricGate
from .order import OrderGate
from .soak import SoakGate
from .tested import TestsGate
from .window import WindowGate

GATES: dict[str, Gate] = {
    gate.kind: gate
    for gate in (
        OrderGate(),
        SoakGate(),
        ChecksumGate(),
        WindowGate(),
        LockGate(),
        DebtGate(),
        TestsGate(),
        MetricGate(),
        HttpGate(),
        ExpressionGate(),
        ApprovalGate(),
    )
}
GATES |= {kind: import_string(path)() for kind, path in settings.OFFERED_GATES.items()}
