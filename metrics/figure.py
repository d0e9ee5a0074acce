"""One measure as a page leads with it."""

from dataclasses import dataclass
from functools import cached_property

from metrics.breakdown import compare
from metrics.described import COUNT, Described
from metrics.measures.failures import Failures
from metrics.measures.results import Bucket, Result, Summary
from metrics.statistics import Comparison, Interval, judge_target


@dataclass(frozen=True)
class Figure:
    """One measure as a page leads with it: beside its target and the period before."""

    described: Described
    result: Result
    before: Summary
    buckets: tuple[Bucket, ...]
    target: float | None

    @property
    def judged_interval(self) -> Interval | None:
        """The interval a target is held against: of failures that of their rate."""
        return (
            self.result.rate_interval if isinstance(self.result, Failures) else self.result.interval
        )

    @property
    def verdict(self) -> str:
        """meets, misses, too close to call, not enough data; empty without a target."""
        if self.target is None:
            return ""
        return judge_target(
            self.judged_interval, self.target, self.result.n, self.described.is_higher_better
        )

    @cached_property
    def summary(self) -> Summary:
        """The figure itself."""
        result = self.result
        return Summary(result.n, result.numerator, result.value, result.interval)

    @cached_property
    def comparison(self) -> Comparison | None:
        """Beside the period before; None where that says nothing."""
        return compare(self.described, self.before, self.summary)

    @property
    def change(self) -> float | None:
        """The value minus that of the period before, rates for failures; None where one is missing."""
        before, after = self.before.value, self.result.value
        if before is None or after is None:
            return None
        if self.described.unit == COUNT:
            return after / self.result.n - before / self.before.n
        return after - before
