"""Figures that count production deployments: where their digest came from, and what proved it."""

from collections.abc import Callable

from metrics.maturity.checks.acts import judge_execution
from metrics.maturity.checks.facts import CheckFacts
from metrics.maturity.checks.results import Tally
from metrics.maturity.checks.windows import CheckWindow
from metrics.measures.compliance import judge_execution as judge_compliance
from metrics.measures.executions import Execution
from metrics.measures.traceability import find_missing_links, find_reported
from metrics.measures.upstream import find_missing_upstream


def _count(facts: CheckFacts, window: CheckWindow, find_fault: Callable[[Execution], str]) -> Tally:
    units = []
    for each in window.executions:
        fault = find_fault(each)
        units.append(judge_execution(facts, each, not fault, fault))
    return Tally(tuple(units))


def _has_pipeline(facts: CheckFacts, execution: Execution) -> bool:
    service = facts.history.knowledge.services[execution.service]
    return service.pipeline_at(execution.started_at) is not None


def find_identity_fault(facts: CheckFacts, execution: Execution) -> str:
    """Why a digest was not proven before; the rule is that of measure 1.

    Where no pipeline says what comes before production, nothing shows that it is the same.
    """
    if not _has_pipeline(facts, execution):
        return "went to production with no pipeline that says what comes before"
    missing = find_missing_upstream(facts.history, execution)
    return f"had not run in {', '.join(missing)} before" if missing else ""


def count_digest_identity(facts: CheckFacts, window: CheckWindow) -> Tally:
    """DIR: production deployments whose digest had deployed in the required upstream."""
    return _count(facts, window, lambda each: find_identity_fault(facts, each))


def count_stages_in_order(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Production deployments whose digest passed every required stage, each before the next."""
    return _count(facts, window, lambda each: find_order_fault(facts, each))


def find_order_fault(facts: CheckFacts, execution: Execution) -> str:
    """Why the way was not in order: a stage that is missing, or was passed before its own upstream."""
    fault = find_identity_fault(facts, execution)
    if fault:
        return fault
    history = facts.history
    service = history.knowledge.services[execution.service]
    stage = service.stage_at(execution.environment, execution.started_at)
    for digest in sorted({run.digest for run in execution.runs}):
        for name in stage.upstream:
            first = history.successes[execution.service, name, digest][0]
            missing = history.missing_upstream(
                execution.service, name, digest, first.started_at, history.as_of
            )
            if missing:
                return f"ran in {name} before {', '.join(missing)}"
    return ""


def count_in_repository(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Production deployments whose digest is in a repository we know of."""

    def find_fault(execution: Execution) -> str:
        unknown = any(run.digest not in facts.stored_since for run in execution.runs)
        return "is in no repository that we know of" if unknown else ""

    return _count(facts, window, find_fault)


def count_in_repository_before(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Production deployments whose digest was in a repository before they began."""

    def find_fault(execution: Execution) -> str:
        late = any(
            facts.stored_since.get(run.digest, facts.at) > execution.started_at
            or run.digest not in facts.stored_since
            for run in execution.runs
        )
        return "was in no repository before it was deployed" if late else ""

    return _count(facts, window, find_fault)


def count_tracked(facts: CheckFacts, window: CheckWindow) -> Tally:
    """TPR: production deployments with a matching promotion record."""
    return _count(
        facts, window, lambda each: "" if each.promotion is not None else "has no promotion record"
    )


def count_verified(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Production deployments whose checksum or signature was verified when they were promoted."""
    verified = {each.id for each in facts.promotions if each.verified_by}

    def find_fault(execution: Execution) -> str:
        promotion = execution.promotion
        is_verified = promotion is not None and promotion.id in verified
        return "" if is_verified else "was not verified by checksum or signature"

    return _count(facts, window, find_fault)


def count_compliant(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Production deployments that are compliant as MEASURES has it."""
    controls = {each.id: each.controls for each in facts.promotions}

    def find_fault(execution: Execution) -> str:
        verdict = judge_compliance(execution, controls)
        if verdict.is_compliant:
            return ""
        if verdict.missing:
            return f"started without: {', '.join(verdict.missing)}"
        return f"does not comply: {verdict.outcome}"

    return _count(facts, window, find_fault)


def count_audit_ready(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Production deployments with every link of measure 4 and every control on record."""
    controls = {each.id: each.controls for each in facts.promotions}
    reported = find_reported(facts.history)

    def find_fault(execution: Execution) -> str:
        links = find_missing_links(facts.history, execution, reported)
        verdict = judge_compliance(execution, controls)
        lacks = [f"{link} link" for link in links]
        if not verdict.is_compliant:
            lacks += verdict.missing or (verdict.outcome,)
        return f"is not complete on record: {', '.join(lacks)}" if lacks else ""

    return _count(facts, window, find_fault)
