"""The tests gate: each named test passed for every artifact of the release."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from promotion.models import Evidence, Release
from promotion.rules.settings import Problem, unknown_keys

from .base import GateContext, GateOutcome, Verdict

TEST = "test"


class TestsGate:
    """Judged by the latest result of each test; that of the commit counts for digests without one."""

    kind = "tests"
    title = "Tests"
    is_costly = False
    __test__ = False  # no test itself, though its name begins like one

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`names` is the only setting, and needed: a list of texts."""
        yield from unknown_keys(self.kind, settings, ("names",), what="gate")
        names = settings.get("names")
        if (
            not isinstance(names, list | tuple)
            or not names
            or not all(isinstance(name, str) and name.strip() for name in names)
        ):
            yield "names", "names must list the tests that have to pass, such as [unit]."

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Closed when one failed, waiting when one has no result yet, else open."""
        release = context.promotion.release
        artifacts = list(release.artifacts.all())
        if not artifacts:
            return GateOutcome(Verdict.CLOSED, f"{release} has no artifacts to be tested.")
        latest = _latest_results(release, [one.digest for one in artifacts], context.at)
        said: dict[str, list[str]] = {"passed": [], "failed": [], "": []}
        evidence: dict[str, str] = {}
        for name in map(str, context.settings["names"]):
            for artifact in artifacts:
                row = latest.get((name, artifact.digest)) or latest.get((name, ""))
                what = name if len(artifacts) == 1 else f"{name} of {artifact.short_name}"
                said[row.result if row else ""].append(what)
                if row and row.url:
                    evidence[what] = row.url
        return _judge(said["failed"], said[""], said["passed"], tuple(evidence.items()))


def _judge(
    failed: list[str], missing: list[str], passed: list[str], evidence: tuple[tuple[str, str], ...]
) -> GateOutcome:
    if failed:
        return GateOutcome(Verdict.CLOSED, f"Failed: {', '.join(failed)}.", evidence)
    if missing:
        return GateOutcome(Verdict.WAITING, f"No result yet: {', '.join(missing)}.", evidence)
    return GateOutcome(Verdict.OPEN, f"Passed: {', '.join(passed)}.", evidence)


def _latest_results(
    release: Release, digests: list[str], at: datetime
) -> dict[tuple[str, str], Evidence]:
    """The latest result by test and digest; '' stands for what speaks of the commit alone."""
    about = Q(digest__in=digests)
    if release.commit:
        about |= Q(digest="", commit=release.commit)
    rows = Evidence.objects.filter(about, type=TEST, received_at__lte=at).exclude(result="")
    latest: dict[tuple[str, str], Evidence] = {}
    for row in sorted(rows, key=lambda row: (row.issued_at or row.received_at, row.pk)):
        for name in _names_of(row):
            latest[name, row.digest] = row
    return latest


def _names_of(row: Evidence) -> set[str]:
    """What the test is called: the title it came with, or the suite that its sender named."""
    return {row.title, str(row.details.get("suite") or "")} - {""}
