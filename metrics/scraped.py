"""The measures as metrics for Prometheus, by the OpenMetrics 1.0 text format."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from metrics.described import COUNT, HOURS, Described
from metrics.exported import FILTERS, bounds, write_head
from metrics.figure import Figure
from metrics.measures.failures import Failures
from metrics.measures.results import Summary
from metrics.reports import Report
from metrics.rollups.figures import summarise
from metrics.statistics import Interval

SECONDS = 3600
LABELS = ("service", "team")
ALL = ("", "")


class Measured(Collector):
    """The families of one report; a figure there is none of has no sample, never 0.

    The samples of everything asked have empty labels; those of each service name it and its
    team, where `by_service` asks for them.
    """

    def __init__(self, report: Report, *, by_service: bool) -> None:
        self._report, self._by_service = report, by_service

    def collect(self) -> Iterator[Metric]:
        """What was asked, then five families for each measure."""
        report = self._report
        head = write_head(report.asked)
        del head["filters"]
        filters = {name: getattr(report.asked.filters, name) or "" for name in FILTERS}
        yield InfoMetricFamily(
            "throughline_question",
            "Definition version, period (the last day is not in it) and filters of every figure.",
            value={**head, **filters},
        )
        yield _gauge(
            "throughline_as_of_timestamp_seconds",
            "Known by then.",
            "seconds",
            report.asked.as_of.timestamp(),
        )
        yield _gauge(
            "throughline_services_behind",
            "Services whose figures are being brought up to date.",
            "",
            report.fresh.behind,
        )
        for figure in report.figures(is_whole=True):
            yield from self._write(figure)

    def _write(self, figure: Figure) -> Iterator[Metric]:
        described = figure.described
        yield from self._write_values(described, figure)
        if isinstance(figure.result, Failures):
            yield from _write_failures(figure.result)
        if figure.target is not None:
            name, unit = _name(described, of_target=True)
            factor = SECONDS if described.unit == HOURS else 1
            text = f"{described.title}: the target ({described.target_sign})."
            yield _gauge(f"{name}_target_{unit}", text, unit, figure.target * factor)

    def _write_values(self, described: Described, figure: Figure) -> Iterator[Metric]:
        name, unit = _name(described)
        base = f"{name}_{unit}" if unit else name
        end = f"_{unit}" if unit else ""
        families = {
            "value": GaugeMetricFamily(base, f"{described.summary}.", labels=LABELS, unit=unit),
            "low": GaugeMetricFamily(
                f"{name}_low{end}", "Lower end of its 95 % interval.", labels=LABELS, unit=unit
            ),
            "high": GaugeMetricFamily(
                f"{name}_high{end}", "Upper end of its 95 % interval.", labels=LABELS, unit=unit
            ),
            "part": GaugeMetricFamily(
                f"{name}_numerator", "Units in the numerator.", labels=LABELS
            ),
            "n": GaugeMetricFamily(
                f"{name}_n", f"How many {described.unit_word} it is made of.", labels=LABELS
            ),
        }
        for labels, summary in self._summaries(described, figure):
            _add(families, labels, summary, SECONDS if described.unit == HOURS else 1)
        if described.unit == HOURS:
            del families["part"]
        yield from families.values()

    def _summaries(
        self, described: Described, figure: Figure
    ) -> Iterator[tuple[tuple[str, str], Summary]]:
        yield ALL, figure.summary
        if not self._by_service:
            return
        report = self._report
        found = report.tally_services(described.name, report.list_services())
        for key, tallied in found.items():
            if key in report.services:
                yield report.services[key], summarise(described.name, tallied)


def _name(described: Described, *, of_target: bool = False) -> tuple[str, str]:
    """The name of a family and its unit, as the units of OpenMetrics are called."""
    name = f"throughline_{described.name}"
    if described.unit == HOURS:
        return f"{name}_median", "seconds"
    return name, "" if described.unit == COUNT and not of_target else "ratio"


def _add(
    families: dict[str, GaugeMetricFamily], labels: tuple[str, str], summary: Summary, factor: int
) -> None:
    if not summary.n:
        return
    families["n"].add_metric(labels, summary.n)
    low, high = bounds(summary.interval)
    for name, value in (("value", summary.value), ("low", low), ("high", high)):
        if value is not None:
            families[name].add_metric(labels, value * factor)
    if summary.numerator is not None:
        families["part"].add_metric(labels, summary.numerator)


def _write_failures(result: Failures) -> Iterator[Metric]:
    """What stands beside the count, with DORA's names."""
    told: tuple[tuple[str, str, float | None], ...] = (
        ("failures_ratio", "Failed ÷ production deployments; DORA: change fail rate.", result.rate),
        (
            "rework_ratio",
            "Unplanned ÷ all deployments; DORA: deployment rework rate.",
            result.rework_rate,
        ),
    )
    for name, text, value in told:
        if value is not None:
            yield _gauge(f"throughline_{name}", text, "ratio", value)
    yield from _write_rate(result.rate_interval)
    if result.recovery_p50_hours is not None:
        yield _gauge(
            "throughline_recovery_median_seconds",
            "Median until a failure was put right; DORA: failed deployment recovery time.",
            "seconds",
            result.recovery_p50_hours * SECONDS,
        )


def _write_rate(interval: Interval | None) -> Iterator[Metric]:
    low, high = bounds(interval)
    for name, words, value in (("low", "Lower", low), ("high", "Upper", high)):
        if value is not None:
            text = f"{words} end of the 95 % interval of the rate."
            yield _gauge(f"throughline_failures_rate_{name}_ratio", text, "ratio", value)


def _gauge(name: str, words: str, unit: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value, unit=unit)


def write_openmetrics(report: Report, *, by_service: bool = False) -> bytes:
    """The text that Prometheus reads, `# EOF` at its end."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Measured(report, by_service=by_service))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text
