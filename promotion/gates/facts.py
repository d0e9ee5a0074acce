"""The facts of a promotion that expressions are written over."""

from datetime import datetime
from typing import Any

from promotion.models import Deployment, Promotion, RunResult
from promotion.rules.risk import DEPLOYMENTS_COUNTED, judge_risk

from .authors import commits_of
from .runs import FAILED


def facts_of(promotion: Promotion, at: datetime) -> dict[str, Any]:
    """Every fact by its name in `rules.expressions.FACTS`; None where it is not known."""
    release, environment = promotion.release, promotion.environment
    commits, is_known = commits_of(promotion)
    risk = judge_risk(
        failed=_failed_deployments(promotion, at),
        commits=len(commits) if is_known else None,
        is_hotfix=promotion.kind == Promotion.Kind.HOTFIX,
    )
    authors = {one.author_address.strip().lower() for one in commits} - {""}
    return {
        "promotion.number": promotion.number,
        "promotion.kind": str(promotion.kind),
        "promotion.origin": str(promotion.origin),
        "promotion.environment": environment.slug,
        "promotion.tier": str(environment.tier),
        "promotion.stage": promotion.stage,
        "promotion.is_first": promotion.replaces_id is None,
        "service.name": promotion.service.slug,
        "service.team": promotion.service.team.slug,
        "release.version": release.version,
        "release.commit": release.commit or None,
        "release.artifacts": [
            {"name": one.short_name, "digest": one.digest} for one in release.artifacts.all()
        ],
        "release.commits": len(commits) if is_known else None,
        "release.authors": len(authors) if is_known else None,
        "risk.score": risk.score,
        "risk.failures": risk.failures,
        "risk.size": risk.size,
    }


def _failed_deployments(promotion: Promotion, at: datetime) -> list[bool]:
    """Of the newest ended deployments of the lane, newest first: did it fail?"""
    results = (
        Deployment.objects.filter(
            service=promotion.service,
            environment=promotion.environment,
            finished_at__lte=at,
            result__in=[RunResult.SUCCEEDED, *FAILED],
        )
        .order_by("-finished_at", "-pk")
        .values_list("result", flat=True)[:DEPLOYMENTS_COUNTED]
    )
    return [result in FAILED for result in results]
