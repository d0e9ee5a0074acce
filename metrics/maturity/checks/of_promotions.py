"""Figures that count promotions: how they were carried out, logged, controlled and learnt from."""

from datetime import timedelta

from metrics.maturity.checks.acts import UNDER_WAY, Act
from metrics.maturity.checks.facts import CheckFacts, PromotionDetail
from metrics.maturity.checks.results import Page, Tally, Unit
from metrics.maturity.checks.windows import CheckWindow
from metrics.measures.compliance import judge_controls

# A copy by digest hashes what it copies; the wait ends when exactly this digest is reported.
COMPARES_DIGESTS = frozenset(("oci-copy", "wait-for-deployment"))
ENDED_BADLY = frozenset(("failed", "errored"))


def count_by_person_without_run(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions that a person carried out with no pipeline run behind them."""
    return Tally(
        tuple(
            act.judge(not act.is_manual or act.has_run, "was done by a person, with no run")
            for act in window.acts
        )
    )


def count_by_script_or_pipeline(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions that a script, a pipeline or steps of ours carried out."""
    return Tally(
        tuple(
            act.judge(
                act.has_run or (act.is_automated and not act.is_manual),
                "names no script and no pipeline",
            )
            for act in window.acts
        )
    )


def count_without_digest_check(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions in which no machine compared the digest."""
    return Tally(
        tuple(act.judge(is_checked(act), "had no automatic digest check") for act in window.acts)
    )


def is_checked(act: Act) -> bool:
    """A gate compared checksum or signature, or a step compared the digest."""
    if act.promotion is None:
        return False
    return bool(act.promotion.verified_by) or bool(act.promotion.steps & COMPARES_DIGESTS)


def count_outside_pipeline(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions with neither a pipeline run nor steps carried out here."""
    return Tally(
        tuple(act.judge(act.has_run, "has no pipeline run and no steps") for act in window.acts)
    )


def count_with_run(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions that name their run; of steps of ours the promotion itself is the run."""
    return Tally(tuple(act.judge(act.has_run, "names no run") for act in window.acts))


def count_by_shared_pipeline(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions that went through a pipeline kept here and that no person carried out."""
    return Tally(
        tuple(
            act.judge(
                act.promotion is not None and not act.is_manual,
                "went past the shared pipeline" if act.promotion is None else "was done by hand",
            )
            for act in window.acts
        )
    )


def count_logged_promptly(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions on record within so many minutes of when they happened."""
    limit = timedelta(minutes=window.parameters["within_minutes"])
    return Tally(
        tuple(
            act.judge(act.lag is not None and act.lag <= limit, _tell_lag(act))
            for act in window.acts
        )
    )


def _tell_lag(act: Act) -> str:
    if act.lag is None:
        return "was seen running and never reported"
    return f"was reported {int(act.lag.total_seconds() // 60)} minutes later"


def count_failures_learnt_from(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Failed promotions with a cause and an action on record.

    `fully_when_none_in`: with none failed in so many promotions the value is 100 %.
    """
    started = [act.promotion for act in window.acts if act.promotion is not None]
    failed = [each for each in started if each.state in ENDED_BADLY]
    enough = window.parameters.get("fully_when_none_in", 0)
    if not failed and enough and len(started) >= enough:
        return Tally(
            tuple(_judge_promotion(each, True, "") for each in started),
            counts="promotions without a failure",
        )
    if not failed:
        return Tally(
            unmeasured=f"None of {len(started)} promotions failed; without a failure it takes"
            f" {enough} promotions to say anything."
        )
    return Tally(
        tuple(
            _judge_promotion(each, each.has_cause and each.has_action, _tell_lack(each))
            for each in failed
        )
    )


def _tell_lack(detail: PromotionDetail) -> str:
    lacks = [
        word
        for word, has in (("cause", detail.has_cause), ("action", detail.has_action))
        if not has
    ]
    return f"failed and has no {' and no '.join(lacks)}"


def _judge_promotion(detail: PromotionDetail, good: bool, what: str) -> Unit:
    name = f"{detail.service} {detail.version} to {detail.environment}"
    page = Page("promotion-detail", (detail.number,))
    return Unit(detail.id, detail.service, good, f"`{name}` {what}", page)


def find_to_production(facts: CheckFacts, window: CheckWindow) -> list[PromotionDetail]:
    """The promotions to production that started in the window."""
    return [
        act.promotion
        for act in window.acts
        if act.promotion is not None and facts.history.is_production(act.environment)
    ]


def count_with_required_gates(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions to production whose required gates and approvals were met before the start."""
    units = []
    for each in find_to_production(facts, window):
        verdict = judge_controls(each.controls)
        what = f"started without its controls: {verdict.sentence[:1].lower()}{verdict.sentence[1:]}"
        units.append(_judge_promotion(each, verdict.is_compliant, what.rstrip(".")))
    return Tally(tuple(units))


def count_with_readiness(facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions to production that were decided with the readiness of the release kept."""
    return Tally(
        tuple(
            _judge_promotion(
                each, each.has_readiness, "was decided without a readiness that is kept"
            )
            for each in find_to_production(facts, window)
        )
    )


def count_routed_by_risk(_facts: CheckFacts, window: CheckWindow) -> Tally:
    """Promotions whose pipeline asked a rule about their risk."""
    return Tally(
        tuple(
            act.judge(
                act.promotion is not None and act.promotion.asks_for_risk,
                "was routed without regard to its risk",
            )
            for act in window.acts
        )
    )


def is_complete(act: Act) -> bool:
    """Start, end and outcome are known; what still runs after a day has no end."""
    if act.promotion is None:
        return act.execution is not None and not act.execution.is_observed
    detail = act.promotion
    return detail.ended_at is not None and detail.state not in UNDER_WAY


def is_judged(act: Act, facts: CheckFacts) -> bool:
    """Whether it could be complete by now: what began within the last day may still run."""
    return is_complete(act) or act.at <= facts.at - timedelta(days=1)
