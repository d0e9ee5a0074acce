"""GET /api/v1/promotions/<id>/explain: why it waits, when it can go, what would unblock it."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion.actions.explain import Explanation, explain_promotion
from promotion.gates.approval import ApprovalFacts
from promotion.gates.known import GATES
from promotion.models import GateResult

from .fields import PersonSerializer, RowSerializer, UtcDateTimeField
from .promotion_rows import ApprovalSerializer, StepSerializer, promotions
from .reads import find_or_404
from .schema import problems


class EvidenceLinkSerializer(serializers.Serializer[Any]):
    """What a gate's answer rests on."""

    label = serializers.CharField()  # type: ignore[assignment]  # the column's name
    url = serializers.CharField()


class GateSerializer(RowSerializer[GateResult]):
    """What a gate last said, when, and how long that may be used."""

    title = serializers.SerializerMethodField()
    evidence = EvidenceLinkSerializer(many=True)
    passed_by = serializers.SerializerMethodField(
        help_text="the exception (EX-7) or broken glass (BG-3) by which it is open; else empty"
    )
    people = serializers.ListField(
        child=serializers.CharField(), help_text="user names of those whose act would move it"
    )

    class Meta:
        model = GateResult
        fields = (
            "gate",
            "title",
            "is_required",
            "verdict",
            "reason",
            "earliest",
            "evidence",
            "people",
            "passed_by",
            "measured_at",
            "fresh_until",
        )

    def get_passed_by(self, result: GateResult) -> str:
        """By its number."""
        if result.break_glass_id:
            return f"BG-{result.break_glass_id}"
        return f"EX-{result.exception_id}" if result.exception_id else ""

    def get_title(self, result: GateResult) -> str:
        """The gate's name for people."""
        return GATES[result.gate].title if result.gate in GATES else result.gate


class RuleSerializer(serializers.Serializer[Any]):
    """How one approval rule stands."""

    name = serializers.CharField()
    needed = serializers.IntegerField()
    given = serializers.IntegerField()
    is_met = serializers.BooleanField()
    binds = serializers.BooleanField()
    is_fallback_open = serializers.BooleanField()
    counted = PersonSerializer(many=True)
    can_still_act = PersonSerializer(many=True)


class ApprovalStateSerializer(serializers.Serializer[Any]):
    """How the approval rules stand together."""

    is_met = serializers.BooleanField()
    is_deadlock = serializers.BooleanField(
        help_text="they could not be met even if everybody who can still act approved"
    )
    rules = RuleSerializer(many=True)
    stale = PersonSerializer(many=True, help_text="who approved other content")
    authors = PersonSerializer(many=True)
    unmatched_authors = serializers.ListField(child=serializers.CharField())


class ExplanationSerializer(serializers.Serializer[Any]):
    """The whole answer."""

    promotion = serializers.CharField(help_text="its number")
    state = serializers.CharField()
    reason = serializers.CharField()
    can_go = serializers.BooleanField()
    earliest = UtcDateTimeField(allow_null=True, help_text="null where it is not known")
    expires_at = UtcDateTimeField()
    not_before = UtcDateTimeField(allow_null=True)
    content_hash = serializers.CharField()
    waits_behind = serializers.ListField(child=serializers.CharField())
    gates = GateSerializer(many=True)
    approval = ApprovalStateSerializer(allow_null=True, help_text="null once it has started")
    decisions = ApprovalSerializer(many=True)
    steps = StepSerializer(many=True)
    unblocking = serializers.ListField(
        child=serializers.CharField(), help_text="what would let it go on, in sentences"
    )


class Explain(APIView):
    """Why a promotion waits."""

    @extend_schema(
        operation_id="explain_promotion",
        responses={200: ExplanationSerializer, **problems(404)},
    )
    def get(self, request: Request, number: int) -> Response:
        """Why it stands where it stands, when it can go, and what would unblock it."""
        rows = promotions().prefetch_related("approvals__person", "gate_results")
        explanation = explain_promotion(find_or_404(rows, pk=number), at=timezone.now())
        return Response(ExplanationSerializer(_tell(explanation)).data)


def _tell(explanation: Explanation) -> dict[str, Any]:
    promotion = explanation.promotion
    return {
        "promotion": promotion.number,
        "state": promotion.state,
        "reason": explanation.reason,
        "can_go": explanation.can_go,
        "earliest": explanation.earliest,
        "expires_at": promotion.expires_at,
        "not_before": promotion.not_before,
        "content_hash": promotion.content_hash,
        "waits_behind": explanation.ahead,
        "gates": explanation.results,
        "approval": _tell_approval(explanation.approval) if explanation.approval else None,
        "decisions": promotion.approvals.all(),
        "steps": explanation.steps,
        "unblocking": explanation.unblocking,
    }


def _tell_approval(facts: ApprovalFacts) -> dict[str, Any]:
    verdict = facts.verdict
    return {
        "is_met": verdict.met,
        "is_deadlock": verdict.deadlock,
        "rules": [
            {
                "name": name,
                "needed": rule.needed,
                "given": rule.given,
                "is_met": rule.met,
                "binds": rule.binds,
                "is_fallback_open": rule.fallback_open,
                "counted": _people(facts, rule.counted),
                "can_still_act": _people(facts, rule.can_still_act),
            }
            for name, rule in verdict.rules.items()
        ],
        "stale": _people(facts, verdict.stale),
        "authors": _people(facts, sorted(facts.authors.people)),
        "unmatched_authors": list(facts.authors.unmatched),
    }


def _people(facts: ApprovalFacts, usernames: Any) -> list[dict[str, str]]:
    """User names with the names of those the rules speak of."""
    return [
        {"username": one, "name": facts.people[one].name if one in facts.people else one}
        for one in usernames
    ]
