"""How senders call the states of a run, and ours for them."""

from datetime import datetime

from .base import FINAL_RESULTS
from .reading import Part

_WORDS = {
    "queued": "queued pending scheduled created waiting requested preparing blocked enqueued new "
    "waiting_for_resource manual notstarted",
    "started": "started start running in_progress inprogress in-progress building processing "
    "deploying resumed stopping canceling cancelling failing",
    "succeeded": "succeeded success successful passed passing pass ok done fixed",
    "failed": "failed failure fail error errored timed_out timedout timeout fault "
    "unstable broken partiallysucceeded startup_failure fatal_error",
    "cancelled": "cancelled canceled cancel aborted abort stopped stop interrupted superseded "
    "terminated killed",
}
_RESULTS = {word: result for result, words in _WORDS.items() for word in words.split()}


def result_of(state: Part, **own: str | None) -> str | None:
    """Our result for a sender's word; `own` holds words that this sender means otherwise."""
    word = state.word()
    return own[word] if word in own else _RESULTS.get(word)


def finish(result: str | None, at: datetime | None) -> datetime | None:
    """The time of an end only where there is one."""
    return at if result in FINAL_RESULTS else None


def begin(result: str | None, at: datetime | None) -> datetime | None:
    """The time of a report that says the run has just begun."""
    return at if result == "started" else None


INCIDENT_RESULTS = {
    word: result
    for result, words in {
        "opened": "triggered trigger reopened reopen create created activated open opened firing "
        "alerting alarm",
        "resolved": "resolved resolve close closed ok",
    }.items()
    for word in words.split()
}
