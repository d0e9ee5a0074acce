"""Every figure a model may name, and how much a window must hold for it."""

from collections.abc import Callable
from dataclasses import dataclass

from metrics.maturity.checks import of_deployments, of_habits, of_promotions, of_releases
from metrics.maturity.checks.facts import CheckFacts
from metrics.maturity.checks.results import Tally
from metrics.maturity.checks.windows import CheckWindow, Enough, has_deployments, has_enough

Compute = Callable[[CheckFacts, CheckWindow], Tally]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: what it counts, in words, how, and when a window holds enough for it.

    Without `has_source` nothing that is kept says anything of it; it cannot be measured yet.
    """

    unit: str
    compute: Compute
    has_enough: Enough = has_enough
    has_source: bool = True


PROMOTIONS, DEPLOYMENTS = "promotions", "production deployments"
VERSIONS, RELEASES = "versions", "releases in production"

FIGURES: dict[str, Figure] = {
    "promotions-by-person-without-run": Figure(
        PROMOTIONS, of_promotions.count_by_person_without_run
    ),
    "promotions-by-script-or-pipeline": Figure(
        PROMOTIONS, of_promotions.count_by_script_or_pipeline
    ),
    "promotions-without-digest-check": Figure(PROMOTIONS, of_promotions.count_without_digest_check),
    "promotions-outside-pipeline": Figure(PROMOTIONS, of_promotions.count_outside_pipeline),
    "promotions-with-run": Figure(PROMOTIONS, of_promotions.count_with_run),
    "promotions-by-shared-pipeline": Figure(PROMOTIONS, of_promotions.count_by_shared_pipeline),
    "promotions-logged-promptly": Figure(PROMOTIONS, of_promotions.count_logged_promptly),
    "failures-with-cause-and-action": Figure(
        "failed promotions", of_promotions.count_failures_learnt_from
    ),
    "promotions-with-required-gates": Figure(
        "promotions to production", of_promotions.count_with_required_gates
    ),
    "promotions-routed-by-risk": Figure(PROMOTIONS, of_promotions.count_routed_by_risk),
    "digest-identity": Figure(DEPLOYMENTS, of_deployments.count_digest_identity, has_deployments),
    "stages-in-order": Figure(DEPLOYMENTS, of_deployments.count_stages_in_order, has_deployments),
    "digests-in-repository": Figure(
        DEPLOYMENTS, of_deployments.count_in_repository, has_deployments
    ),
    "digests-in-repository-before-deployment": Figure(
        DEPLOYMENTS, of_deployments.count_in_repository_before, has_deployments
    ),
    "digests-retained": Figure("deployed digests", of_habits.lack_looks, has_source=False),
    "tracked-production-deployments": Figure(
        DEPLOYMENTS, of_deployments.count_tracked, has_deployments
    ),
    "verified-at-promotion": Figure(DEPLOYMENTS, of_deployments.count_verified, has_deployments),
    "compliance": Figure(DEPLOYMENTS, of_deployments.count_compliant, has_deployments),
    "audit-ready-deployments": Figure(
        DEPLOYMENTS, of_deployments.count_audit_ready, has_deployments
    ),
    "releases-on-path": Figure(RELEASES, of_releases.count_on_path),
    "traceability": Figure(RELEASES, of_releases.count_traceable),
    "versions-with-several-digests": Figure(VERSIONS, of_releases.count_with_several_digests),
    "versions-never-overwritten": Figure(VERSIONS, of_releases.count_never_overwritten),
    "versions-with-one-digest": Figure(VERSIONS, of_releases.count_with_one_digest),
    "artifacts-with-required-metadata": Figure("artifacts", of_releases.count_with_metadata),
    "measures-viewed": Figure("views", of_habits.tell_viewed),
    "monitoring-conditions": Figure("conditions", of_habits.count_monitoring),
    "strategies-with-outcome": Figure("strategies", of_habits.count_strategies),
    "throughput-improves": Figure("conditions", of_habits.tell_throughput),
    "promotions-with-readiness-snapshot": Figure(
        "promotions to production", of_promotions.count_with_readiness
    ),
    "anomalies-with-disposition": Figure("anomalies", of_habits.lack_anomalies, has_source=False),
}
