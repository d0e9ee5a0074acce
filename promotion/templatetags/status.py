"""The nine ways a status is shown, and which of them each word of the record becomes."""

from typing import Final

STATUS_ICONS: Final = {
    "passed": "circle-check",
    "running": "loader-circle",
    "waiting": "hourglass",
    "warned": "triangle-alert",
    "failed": "octagon-x",
    "blocked": "ban",
    "pending": "circle-dashed",
    "skipped": "circle-minus",
    "unknown": "circle-question-mark",
}

NODE_ICONS: Final = {
    "passed": "check",
    "running": "loader-circle",
    "waiting": "hourglass",
    "warned": "triangle-alert",
    "failed": "x",
    "blocked": "ban",
    "pending": "minus",
    "skipped": "minus",
    "unknown": "circle-question-mark",
}

DISPLAYED: Final = {
    # promotions, steps, builds, deployments
    "queued": "pending",
    "started": "running",
    "succeeded": "passed",
    "errored": "failed",
    "rejected": "blocked",
    "cancelled": "skipped",
    "expired": "skipped",
    "superseded": "skipped",
    "rolled_back": "warned",
    "removed": "skipped",
    # gates and exceptions
    "open": "passed",
    "closed": "blocked",
    "exception": "warned",
    # approvals, evidence, incidents, environments
    "approved": "passed",
    "stale": "unknown",
    "verified": "passed",
    "opened": "failed",
    "resolved": "passed",
    "drift": "warned",
}


def displayed_status(status: object) -> str:
    """One of the nine; a word nobody placed is shown as unknown, never as good."""
    word = str(status)
    if word in STATUS_ICONS:
        return word
    return DISPLAYED.get(word, "unknown")
