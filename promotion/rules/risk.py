"""How risky a promotion is, from what is known of its lane and its change.

The score is a judgement of ours, not a published formula: it says how far a change stands out, so
that a pipeline can ask more of it. It is no likelihood of failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Fewer deployments than these say nothing of how often they fail.
FEWEST_DEPLOYMENTS = 5
# How many of the newest deployments of a lane are counted.
DEPLOYMENTS_COUNTED = 20
# A change of so many commits has half the greatest size.
COMMITS_OF_HALF_SIZE = 10
# What a hotfix adds: it is made in a hurry, and often past a stage.
HOTFIX = 0.3


@dataclass(frozen=True, slots=True)
class Risk:
    """Each from 0 to 1 (shares, no unit), None where it is not known.

    `failures` is the share of the newest deployments of the lane that failed, `size` grows with the
    number of commits: n / (n + 10). `score` combines them.
    """

    failures: float | None
    size: float | None
    score: float | None


def judge_risk(*, failed: Sequence[bool], commits: int | None, is_hotfix: bool) -> Risk:
    """The risk of one promotion.

    `failed` says of the newest ended deployments of the lane, newest first, whether each failed;
    `commits` is how many the change brings, None where the range is not known. The score is
    1 − (1 − failures) × (1 − size / 2) × (1 − 0.3 for a hotfix): each part can only raise it. It is
    None where one part is not known, since half of it would look like a small risk.
    """
    counted = failed[:DEPLOYMENTS_COUNTED]
    failures = sum(counted) / len(counted) if len(counted) >= FEWEST_DEPLOYMENTS else None
    size = None if commits is None else commits / (commits + COMMITS_OF_HALF_SIZE)
    if failures is None or size is None:
        return Risk(failures, size, None)
    calm = (1 - failures) * (1 - size / 2) * (1 - HOTFIX if is_hotfix else 1)
    return Risk(failures, size, 1 - calm)
