"""The key measures in words: what each is called, how it is counted, and how it reads."""

from dataclasses import dataclass

SHARE, HOURS, COUNT = "share", "hours", "count"


@dataclass(frozen=True, slots=True)
class Described:
    """A measure for people; `unit` is share, hours or count, `unit_word` what n counts."""

    name: str
    title: str
    short: str
    summary: str
    unit: str
    unit_word: str
    counted: tuple[str, ...]
    left_out: tuple[str, ...]
    is_higher_better: bool = True

    @property
    def slug(self) -> str:
        """The name as it stands in an address."""
        return self.name.replace("_", "-")

    @property
    def target_sign(self) -> str:
        """On which side of the target the good values lie."""
        return "≥" if self.is_higher_better else "≤"


DESCRIBED: dict[str, Described] = {
    each.name: each
    for each in (
        Described(
            name="automated_share",
            title="Automated promotion",
            short="Automated",
            summary="Share of production deployments that automation carried out",
            unit=SHARE,
            unit_word="production deployments",
            counted=(
                "Every deployment to production that ended in the period counts once; all targets"
                " of one promotion are one deployment.",
                "It is automated when no person executed its steps, whether in a promotion here or"
                " by another tool, and its digest had run before in every environment the"
                " service's pipeline requires. A person's approval does not make it manual.",
                "Out of band is what was only seen running, what no tool claims, and what skipped"
                " a required environment. Unknown stays in the denominator; the range says where"
                " the share would lie.",
            ),
            left_out=(
                "restarts of what already ran",
                "dry runs",
                "deployments that end before they start",
            ),
        ),
        Described(
            name="first_pass",
            title="First-pass success",
            short="First pass",
            summary="Promotions that succeeded at the first attempt and stayed good",
            unit=SHARE,
            unit_word="promotions asked for",
            counted=(
                "A release asked for in an environment counts once, however many attempts it"
                " takes, and by the start of its first attempt.",
                "It passes when the first attempt succeeded, no person had a stopped step"
                " repeated, and within the environment's watch window there was no rollback, no"
                " hotfix and no incident for it.",
                "Attempts that failed, broke, or were cancelled after their start did not pass.",
            ),
            left_out=(
                "requests that never started: waiting, rejected, expired, superseded",
                "rollbacks",
                "promotions whose watch window still runs",
            ),
        ),
        Described(
            name="build_to_production",
            title="Build to production",
            short="To production",
            summary="Median time from the end of a build to production",
            unit=HOURS,
            unit_word="releases",
            is_higher_better=False,
            counted=(
                "From the end of the earliest build of a digest to the end of its first successful"
                " deployment in production; a release of several artifacts counts from its first"
                " build to its last artifact.",
                "The median leads. p75 needs 12 releases and p90 needs 30.",
                "It is not DORA's change lead time, which begins with the commit.",
                "The parts of the time are means, because medians of parts do not add up.",
            ),
            left_out=(
                "digests without a known build",
                "releases whose first production deployment was a rollback",
                "spans below zero, which are set aside",
            ),
        ),
        Described(
            name="traceability",
            title="Full traceability",
            short="Traceable",
            summary="Production releases with every link from commit to environment",
            unit=SHARE,
            unit_word="releases in production",
            counted=(
                "Every release whose first production deployment is in the period, and every"
                " digest seen in production that no build explains.",
                "All or nothing: commit, build, the signature and provenance the pipeline asks"
                " for, a deployment in every required environment before, the approvals asked"
                " for, and a reported production deployment.",
                "Each link is tested by itself on the first production deployment.",
            ),
            left_out=("releases not in production yet",),
        ),
        Described(
            name="failures",
            title="Incidents and rollbacks",
            short="Failures",
            summary="Production deployments that were rolled back, fixed or led to an incident",
            unit=COUNT,
            unit_word="production deployments",
            is_higher_better=False,
            counted=(
                "A production deployment failed when it was rolled back or replaced by a hotfix,"
                " when an incident belongs to it, or when its promotion left production degraded."
                " Several signs of one failure are one failure.",
                "An incident belongs to the deployment it names, else to the latest one before it"
                " within the watch window, else to the one a person chose.",
                "The rate is per production deployment whose watch window is over. DORA calls it"
                " change fail rate, the recovery time failed deployment recovery time, and the"
                " rework rate deployment rework rate.",
            ),
            left_out=(
                "returns that were planned",
                "suspected and disputed incidents, shown beside",
                "deployments whose watch window still runs",
            ),
        ),
    )
}
BY_SLUG: dict[str, Described] = {each.slug: each for each in DESCRIBED.values()}

VERDICT_WORDS: dict[str, str] = {
    "automated": "Automated",
    "manual": "By a person",
    "out_of_band": "Out of band",
    "unknown": "Unknown",
    "first_pass": "First pass",
    "retried": "Step repeated",
    "spoilt": "Did not stay good",
    "failed": "Failed",
    "errored": "Errored",
    "cancelled": "Cancelled",
    "running": "Running",
    "succeeded": "Succeeded",
    "normal": "Normal",
    "hotfix": "Hotfix",
    "complete": "Complete",
    "incomplete": "Incomplete",
    "good": "Good",
}
VERDICT_STATUS: dict[str, str] = {
    "automated": "passed",
    "manual": "warned",
    "out_of_band": "failed",
    "unknown": "unknown",
    "first_pass": "passed",
    "retried": "warned",
    "spoilt": "failed",
    "failed": "failed",
    "errored": "failed",
    "cancelled": "skipped",
    "running": "running",
    "normal": "passed",
    "hotfix": "warned",
    "complete": "passed",
    "incomplete": "failed",
    "good": "passed",
}
LINK_WORDS: dict[str, str] = {
    "commit": "Commit",
    "build": "Build",
    "signature": "Signature",
    "provenance": "Provenance",
    "upstream": "Earlier environments",
    "approval": "Approval",
    "deployment": "Reported deployment",
}
SET_ASIDE_WORDS: dict[str, str] = {
    "quarantined": "set aside: they end before they start",
    "unmapped": "of an unknown service or environment",
    "backfilled": "told more than 24 h late",
    "restarts": "restarts",
    "dry_runs": "dry runs",
}
