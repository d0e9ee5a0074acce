"""Maturity as it goes out: plain values for JSON and rows for CSV, the same on pages and by API."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from metrics.answers import read_answers
from metrics.leadership import Landscape, Month, TeamRow
from metrics.maturity.landscape import Calibration, Shared
from metrics.maturity.teams import Spread
from metrics.models import Assessment, Share, TeamLevel
from metrics.packs import check_frozen, write_claim
from metrics.standing import find_model

Cells = tuple[Any, ...]
HEATMAP = (
    "model",
    "version",
    "as_of",
    "team",
    "category",
    "claimed",
    "verified",
    "binds",
    "provisional",
    "agreed_at",
    "stale",
    "shares",
)
STATEMENTS = (
    "model",
    "version",
    "team",
    "cycle",
    "agreed_at",
    "statement",
    "category",
    "level",
    "claimed",
    "measured",
    "verified",
    "counted",
    "comment",
    "value",
    "unit",
    "numerator",
    "denominator",
    "window_from",
    "window_to",
    "counterexamples",
    "evidence",
    "evidence_sha256",
    "evidence_accepted_by",
)
OVERALL = "overall"


def write_landscape(landscape: Landscape) -> dict[str, Any]:
    """The leadership's page as plain values; teams by name, no ranking, no average."""
    summary, model = landscape.summary, landscape.model
    return {
        "model": model.id,
        "version": model.version,
        "as_of": _iso(landscape.at),
        "teams": [write_row(row) for row in landscape.rows],
        "levels": {
            OVERALL: _write_spread(summary.overall),
            **{key: _write_spread(each) for key, each in summary.categories.items()},
        },
        "production_promotions": {
            "by_teams_verified_at_3_or_above": summary.promotions_by_defined_teams,
            "of": landscape.production_promotions,
            "share": landscape.defined_share,
        },
        "contradictions": [_write_shared(each) for each in landscape.contradictions],
        "blockers": [_write_shared(each) for each in landscape.blockers],
        "calibration": _write_calibration(landscape.calibration),
        "teams_that_share_levels_only": landscape.withholding,
        "months": [_write_month(month) for month in landscape.months],
    }


def write_row(row: TeamRow) -> dict[str, Any]:
    """One team: slug, what it shares with the reader, and its levels or none."""
    level = row.level
    return {
        "team": row.team.slug,
        "shares": row.share.name.lower(),
        "level": None if level is None else write_levels(level, Share.LEVELS),
        "stale": row.is_stale,
        "production_promotions": row.promotions,
    }


def write_levels(level: TeamLevel, share: Share) -> dict[str, Any]:
    """A kept level; why it is so names statements, and goes only where answers are shared."""
    result = level.result
    is_open = share >= Share.ANSWERS
    return {
        "day": level.day.isoformat(),
        "as_of": level.as_of.isoformat(),
        **{
            word: result[word]
            if is_open
            else {key: each for key, each in result[word].items() if key != "why"}
            for word in ("claimed", "verified")
        },
        "binding": result["binding"],
        "confidence": result["confidence"],
        "provisional": result["provisional"],
        "assessment": level.assessment.cycle,
    }


def list_heatmap(landscape: Landscape) -> Iterator[Cells]:
    """The heatmap as CSV: the names of the columns, then a row a team and category."""
    yield HEATMAP
    model = landscape.model
    for row in landscape.rows:
        head = (model.id, model.version, _iso(landscape.at), row.team.slug)
        level = row.level
        if level is None:
            yield (*head, OVERALL, "", "", "", "", "", "", row.share.name.lower())
            continue
        tail = (
            level.result["provisional"],
            _iso(level.assessment.agreed_at),
            row.is_stale,
            row.share.name.lower(),
        )
        claimed, verified = level.result["claimed"], level.result["verified"]
        for category in model.categories:
            key = category.id
            values = (claimed["categories"][key], verified["categories"][key])
            yield (*head, key, *values, key in level.result["binding"], *tail)
        yield (*head, OVERALL, level.claimed, level.verified, "", *tail)


def write_assessment(assessment: Assessment, share: Share) -> dict[str, Any]:
    """An agreed assessment as far as it is shared; ConflictError where it is not agreed."""
    check_frozen(assessment)
    model, result = find_model(assessment), assessment.result
    is_open, answers = share >= Share.ANSWERS, {}
    if is_open:
        answers = {each.statement_id: each for each in read_answers(assessment)}
    kept = ("binding", "confidence", "provisional", "progress", "rule", "at")
    return {
        "team": assessment.team.slug,
        "cycle": assessment.cycle,
        "state": assessment.state,
        "model": assessment.model_id,
        "version": assessment.model_version,
        "agreed_at": _iso(assessment.agreed_at),
        "shares": share.name.lower(),
        **{
            word: {key: each for key, each in result[word].items() if is_open or key != "why"}
            for word in ("claimed", "verified")
        },
        **{name: result[name] for name in kept},
        "claims": [
            _hold_back(write_claim(assessment, statement, answers.get(statement.id)), share)
            for statement in model.statements
        ]
        if is_open
        else [],
    }


def _hold_back(claim: dict[str, Any], share: Share) -> dict[str, Any]:
    """A claim without evidence and counterexamples where those are not shared."""
    if share >= Share.EVIDENCE:
        return claim
    check = claim["check"]
    if check is not None:
        check = {key: each for key, each in check.items() if key != "counterexamples"}
    return {**claim, "evidence": None, "check": check}


def list_statements(assessment: Assessment, share: Share) -> Iterator[Cells]:
    """An agreed assessment as CSV: the names of the columns, then a row a statement.

    Only the columns where levels alone are shared. ConflictError where it is not agreed.
    """
    written = write_assessment(assessment, share)
    yield STATEMENTS
    head = tuple(written[name] for name in ("model", "version", "team", "cycle", "agreed_at"))
    for claim in written["claims"]:
        statement, values = claim["statement"], claim["values"]
        check, evidence = claim["check"] or {}, claim["evidence"] or {}
        window, file = check.get("window", {}), evidence.get("file") or {}
        yield (
            *head,
            *(statement[name] for name in ("id", "category", "level")),
            *(values[name] or "" for name in ("claimed", "measured", "verified", "counted")),
            (claim["answer"] or {}).get("comment", ""),
            *(_cell(check.get(name)) for name in ("value", "unit", "numerator", "denominator")),
            *(window.get(name, "") for name in ("from", "to")),
            _cell(check.get("counterexample_count")),
            evidence.get("url", ""),
            file.get("sha256", ""),
            _cell(evidence.get("accepted_by")),
        )


def _cell(value: Any) -> Any:
    return "" if value is None else value


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _write_spread(spread: Spread) -> dict[str, Any]:
    return {
        "teams_per_level": {str(key): each for key, each in spread.teams_per_level.items()},
        "median": spread.median,
        "lowest": spread.lowest,
    }


def _write_shared(shared: Shared) -> dict[str, Any]:
    return {"statement": shared.statement.id, "teams": list(shared.teams)}


def _write_calibration(found: Calibration) -> dict[str, Any]:
    return {
        "matching": found.matching,
        "claimed_higher": found.above,
        "claimed_lower": found.below,
        "of": found.of,
    }


def _write_month(month: Month) -> dict[str, Any]:
    return {
        "day": month.day.isoformat(),
        "claimed": list(month.claimed),
        "verified": list(month.verified),
        "calibration": _write_calibration(month.calibration),
    }
