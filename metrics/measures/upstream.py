"""Whether what was deployed had been proven before: one rule for measures 1 and 4 and for the checks."""

from metrics.measures.executions import Execution
from metrics.measures.history import History


def find_missing_upstream(history: History, execution: Execution) -> tuple[str, ...]:
    """The required upstream environments where a digest of the execution had not succeeded before.

    Sorted by name; empty where all of them had, and where the pipeline requires none.
    """
    digests = {run.digest for run in execution.runs}
    missing = {
        name
        for digest in digests
        for name in history.missing_upstream(
            execution.service,
            execution.environment,
            digest,
            execution.started_at,
            history.as_of,
        )
    }
    return tuple(sorted(missing))
