"""Every kind of gate."""

from .approval import ApprovalGate
from .base import Gate
from .checksum import ChecksumGate
from .expression import ExpressionGate
from .lock import LockGate
from .order import OrderGate
from .soak import SoakGate
from .window import WindowGate

GATES: dict[str, Gate] = {
    gate.kind: gate
    for gate in (
        OrderGate(),
        SoakGate(),
        ChecksumGate(),
        WindowGate(),
        LockGate(),
        ExpressionGate(),
        ApprovalGate(),
    )
}
