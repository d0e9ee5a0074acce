"""Runs cases of kind "measures": a small record, and the figures it must give."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from metrics.measures.automated_share import AutomatedShare
from metrics.measures.base import (
    END_OF_TIME,
    ApprovalFact,
    BuildFact,
    CorrectionFact,
    DeploymentFact,
    EnvironmentFact,
    EvidenceFact,
    Filters,
    IncidentFact,
    ObservationFact,
    PipelineFact,
    PromotionFact,
    Record,
    ServiceFact,
    StageFact,
    TeamFact,
)
from metrics.measures.build_to_production import BuildToProduction
from metrics.measures.failures import Failures
from metrics.measures.first_pass import FirstPass
from metrics.measures.periods import Period
from metrics.measures.registry import compute_all
from metrics.measures.results import Result
from metrics.measures.traceability import Traceability
from metrics.statistics import Interval
from metrics.vectors.comparing import (
    FRACTION_TOLERANCE,
    HOURS_TOLERANCE,
    compare,
    read_time,
)

Given = dict[str, Any]


def _time(given: Mapping[str, Any], *names: str) -> datetime | None:
    """The first of the named times that is given."""
    for name in names:
        if given.get(name) is not None:
            return read_time(given[name])
    return None


def _must(given: Mapping[str, Any], *names: str) -> datetime:
    found = _time(given, *names)
    if found is None:
        raise ValueError(f"{given.get('id', 'a fact')} has none of the times {', '.join(names)}.")
    return found


def _service(given: Given) -> ServiceFact:
    requires = given.get("requires") or {}
    names = given["stages"]
    stages = tuple(
        StageFact(
            environment=name,
            upstream=tuple(names[:index]),
            signature=bool(requires.get("signature")),
            provenance=bool(requires.get("provenance")),
            approvals=requires.get("approvals") or 0,
        )
        for index, name in enumerate(names)
    )
    return ServiceFact(given["name"], given.get("team") or "", (PipelineFact(stages),))


def _environment(given: Given) -> EnvironmentFact:
    hours = given.get("soak_hours")
    return EnvironmentFact(
        name=given["name"],
        tier=given["tier"],
        targets=tuple(given.get("targets") or ()),
        watch_hours=24.0 if hours is None else float(hours),
    )


def _build(given: Given) -> BuildFact:
    return BuildFact(
        id=given["id"],
        service=given["service"],
        digest=given["digest"],
        finished_at=_must(given, "finished_at"),
        received_at=_must(given, "received_at", "finished_at"),
        commit=given.get("commit"),
        version=given.get("version"),
    )


def _promotion(given: Given) -> PromotionFact:
    return PromotionFact(
        id=given["id"],
        service=given["service"],
        digest=given["digest"],
        to=given["to"],
        asked_at=_must(given, "asked_at"),
        received_at=_must(given, "received_at", "ended_at", "started_at", "asked_at"),
        state=given["state"],
        started_at=_time(given, "started_at"),
        ended_at=_time(given, "ended_at"),
        kind=given.get("kind") or "normal",
        mechanism=given.get("mechanism"),
        retried_by_person=bool(given.get("retried_by_person")),
        approvals=tuple(
            ApprovalFact(each["by"], _must(each, "at")) for each in given.get("approvals") or ()
        ),
    )


def _deployment(given: Given) -> DeploymentFact:
    return DeploymentFact(
        id=given["id"],
        service=given["service"],
        environment=given["environment"],
        digest=given["digest"],
        started_at=_must(given, "started_at"),
        received_at=_must(given, "received_at", "finished_at", "started_at"),
        finished_at=_time(given, "finished_at"),
        result=given.get("result"),
        target=given.get("target"),
        promotion=given.get("promotion"),
        mechanism=given.get("mechanism"),
        kind=given.get("kind"),
        planned=bool(given.get("planned")),
    )


def _observation(given: Given, index: int) -> ObservationFact:
    return ObservationFact(
        id=given.get("id") or f"observation {index}",
        service=given["service"],
        environment=given["environment"],
        digest=given["digest"],
        at=_must(given, "at"),
        received_at=_must(given, "received_at", "at"),
        target=given.get("target"),
    )


def _incident(given: Given) -> IncidentFact:
    return IncidentFact(
        id=given["id"],
        service=given["service"],
        environment=given["environment"],
        opened_at=_must(given, "opened_at"),
        received_at=_must(given, "received_at", "opened_at"),
        resolved_at=_time(given, "resolved_at"),
        deployment=given.get("deployment"),
    )


def _evidence(given: Given) -> EvidenceFact:
    return EvidenceFact(
        given["digest"],
        given["type"],
        bool(given["verified"]),
        _must(given, "received_at"),
    )


def _correction(given: Given) -> CorrectionFact:
    return CorrectionFact(given["voids"], _must(given, "at"), given["by"], given["why"])


def read_record(given: Given) -> Record:
    """The facts of a case. Raises KeyError or ValueError for what the format forbids."""
    services = tuple(map(_service, given.get("services") or ()))
    return Record(
        environments=tuple(map(_environment, given.get("environments") or ())),
        services=services,
        teams=tuple(TeamFact(name) for name in sorted({each.team for each in services})),
        builds=tuple(map(_build, given.get("builds") or ())),
        evidence=tuple(map(_evidence, given.get("evidence") or ())),
        promotions=tuple(map(_promotion, given.get("promotions") or ())),
        deployments=tuple(map(_deployment, given.get("deployments") or ())),
        observations=tuple(
            _observation(each, index) for index, each in enumerate(given.get("observations") or ())
        ),
        incidents=tuple(map(_incident, given.get("incidents") or ())),
        corrections=tuple(map(_correction, given.get("corrections") or ())),
    )


def compute_case(given: Given) -> dict[str, Result]:
    """The key measures of a case."""
    period = Period(
        date.fromisoformat(given["period"]["from"]),
        date.fromisoformat(given["period"]["to"]),
        given.get("zone") or "UTC",
    )
    narrowed = given.get("filters") or {}
    filters = Filters(team=narrowed.get("team"), service=narrowed.get("service"))
    return compute_all(read_record(given), period, filters, _time(given, "as_of") or END_OF_TIME)


def _pair(interval: Interval | None) -> list[float | None] | None:
    return [interval.low, interval.high] if interval else None


def _show_shares(results: dict[str, Result]) -> dict[str, Any]:
    share = cast(AutomatedShare, results["automated_share"])
    first = cast(FirstPass, results["first_pass"])
    trace = cast(Traceability, results["traceability"])
    names = "automated automated_by_others manual out_of_band unknown denominator value low high"
    return {
        "automated_share": {name: getattr(share, name) for name in names.split()},
        "first_pass": {
            "numerator": first.numerator or 0,
            "denominator": first.denominator,
            "value": first.value,
            "executed": first.executed,
            "soaked": first.soaked,
            "eventual": first.eventual,
        },
        "traceability": {
            "numerator": trace.numerator or 0,
            "denominator": trace.denominator,
            "value": trace.value,
            "missing": trace.missing,
        },
    }


def show_results(results: dict[str, Result]) -> dict[str, Any]:
    """The results in the words of the vector format."""
    shares = _show_shares(results)
    spans = cast(BuildToProduction, results["build_to_production"])
    failed = cast(Failures, results["failures"])
    intervals = {name: _pair(results[name].interval) for name in shares}
    return {
        **shares,
        "build_to_production": {
            "n": spans.n,
            "p50_hours": spans.spread.p50.value,
            "p75_hours": spans.spread.p75.value,
            "p90_hours": spans.spread.p90.value,
        },
        "failures": {
            "count": failed.count,
            "denominator": failed.denominator,
            "value": failed.rate,
            "deployments": [row.unit for row in failed.rows if row.good and row.mature],
            "recovery_p50_hours": failed.recovery_p50_hours,
        },
        "quarantined": list(spans.beside.quarantined),
        "no_data": [name for name, result in results.items() if not result.n],
        "interval": {
            **intervals,
            "failures": _pair(failed.interval),
            "failure_rate": _pair(failed.rate_interval),
        },
    }


AS_SETS = frozenset(("failures.deployments", "quarantined", "no_data"))


def _compare_at(expected: Any, actual: Any, at: str) -> list[str]:
    """Compares one entry by the tolerance that its name asks for."""
    hours = at.endswith("_hours")
    return compare(
        expected,
        actual,
        at,
        tolerance=HOURS_TOLERANCE if hours else FRACTION_TOLERANCE,
        whole=("traceability.missing",),
        as_sets=at in AS_SETS,
    )


def check_measures(case: dict[str, Any], _fixtures: Path | None = None) -> list[str]:
    """What differs between the expected figures and ours, a sentence each."""
    shown = show_results(compute_case(case["given"]))
    differences: list[str] = []
    for name, expected in case["expect"].items():
        if not isinstance(expected, dict):
            differences += _compare_at(expected, shown.get(name), name)
            continue
        for key, value in expected.items():
            differences += _compare_at(value, shown.get(name, {}).get(key), f"{name}.{key}")
    return differences


RUNNERS: dict[str, Callable[[dict[str, Any], Path | None], list[str]]] = {
    "measures": check_measures
}
