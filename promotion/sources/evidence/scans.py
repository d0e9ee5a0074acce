"""What scanners report: Trivy, Grype, and any of them in SARIF.

Trivy and Grype count what they found and judge nothing; whether it is too much, a policy says.
SARIF has levels: a result at level error is a failure.
"""

from typing import Any

from promotion.sources.cleaning import best_commit, clean_image
from promotion.sources.reading import Part

from .finding import Finding, count, digests_in

_TRIVY_LISTS = ("Vulnerabilities", "Misconfigurations", "Secrets", "Licenses")


def is_trivy(part: Part) -> bool:
    """Whether it is a report of Trivy."""
    return bool(part["SchemaVersion"]) and bool(part["ArtifactName"])


def is_grype(part: Part) -> bool:
    """Whether it is a report of Grype."""
    return part["matches"].is_list and part["source"].is_object


def is_sarif(part: Part) -> bool:
    """Whether it is a SARIF log."""
    return part["runs"].is_list and (part["version"].text() or "").startswith("2.")


def read_trivy(report: Part) -> Finding:
    """A report of Trivy, of an image or of a repository at a commit."""
    metadata = report["Metadata"]
    found: dict[str, Any] = {}
    severities = []
    for result in report["Results"]:
        for name in _TRIVY_LISTS:
            if len(result[name]):
                found[name.lower()] = found.get(name.lower(), 0) + len(result[name])
                severities += [one["Severity"].word() or "unknown" for one in result[name]]
    named = clean_image(report["ArtifactName"].value).digest
    return Finding(
        "scan",
        "Trivy",
        digests=digests_in(metadata["RepoDigests"]) or ((named,) if named else ()),
        commit=best_commit(metadata["Commit"].value),
        occurred_at=report["CreatedAt"].time(),
        external_id=report["ReportID"].text(),
        details={
            "scanner": "Trivy",
            "scanner_version": report["Trivy", "Version"].text(),
            "of": (report["ArtifactName"].text() or "")[:200],
            "kinds": found,
            "findings": count(severities),
        },
    )


def read_grype(report: Part) -> Finding:
    """A report of Grype on an image."""
    target = report["source", "target"]
    own = clean_image(target["userInput"].value).digest or target["manifestDigest"].digest()
    descriptor = report["descriptor"]
    severities = [one["vulnerability", "severity"].word() or "unknown" for one in report["matches"]]
    return Finding(
        "scan",
        "Grype",
        digests=digests_in(target["repoDigests"]) or ((own,) if own else ()),
        occurred_at=descriptor["timestamp"].time(),
        details={
            "scanner": "Grype",
            "scanner_version": descriptor["version"].text(),
            "of": (target["userInput"].text() or "")[:200],
            "findings": count(severities),
            "ignored": len(report["ignoredMatches"]),
        },
    )


def read_sarif(log: Part) -> list[Finding]:
    """One finding a run of a tool."""
    return [_read_run(run) for run in list(log["runs"])[:100]]


def _read_run(run: Part) -> Finding:
    driver = run["tool", "driver"]
    defaults = {rule["id"].text(): _default_of(rule) for rule in driver["rules"]}
    levels = [_level(one, defaults, driver["rules"]) for one in run["results"] if _counts(one)]
    has_run = not any(
        one["executionSuccessful"].value is False for one in list(run["invocations"])[:100]
    )
    failed = "error" in levels
    invocation = run["invocations", -1]
    return Finding(
        "scan",
        driver["name"].text() or "SARIF",
        digests=digests_in(run["properties", "repoDigests"]),
        commit=best_commit(run["versionControlProvenance", 0, "revisionId"].value),
        # A tool that did not run to its end found nothing wrong, and nothing right.
        result="failed" if failed else "passed" if has_run and run["results"].is_list else None,
        occurred_at=invocation["endTimeUtc"].time(),
        external_id=run["automationDetails", "guid"].text(),
        details={
            "format": "SARIF",
            "scanner": driver["name"].text(),
            "scanner_version": driver["semanticVersion"].text() or driver["version"].text(),
            "findings": count(levels),
        },
    )


def _default_of(rule: Part) -> str:
    return rule["defaultConfiguration", "level"].word()


def _counts(result: Part) -> bool:
    """Not what was suppressed, is gone, or is no failure of a rule (SARIF 2.1.0, 3.27)."""
    if result["kind"].word() not in {"", "fail"} or result["baselineState"].word() == "absent":
        return False
    kinds = {one["status"].word() for one in list(result["suppressions"])[:20]}
    return not kinds & {"", "accepted"}


def _level(result: Part, defaults: dict[str | None, str], rules: Part) -> str:
    """Its own level, else that of its rule, else warning (SARIF 2.1.0, 3.27.10)."""
    named = result["ruleId"].text() or result["rule", "id"].text()
    place = result["ruleIndex"].value
    by_place = _default_of(rules[place]) if isinstance(place, int) and place >= 0 else ""
    return result["level"].word() or defaults.get(named) or by_place or "warning"
