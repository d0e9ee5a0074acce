"""GET /api/v1/flow: where time goes, what gates cost and caught, what waits, as JSON."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.flow_results import OpenWork
from metrics.flows import AGE_LIMITS, Flow
from promotion.api.schema import problems
from promotion.models import Token

from .measures import ASKED, read_asked, write_head, write_plain


class FlowOf(APIView):
    """GET /api/v1/flow."""

    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_flow",
        parameters=ASKED,
        responses={200: OpenApiTypes.OBJECT, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """The flow of promotions that ended in the period; of production unless one is named.

        Times are seconds. `mean_parts` add up to the mean time from asking to the end; `alone` of
        a gate is while nothing else held; a percentile is null where there are too few.
        """
        flow = Flow(read_asked(request))
        parts, lead, hands = flow.parts(), flow.lead(), flow.hands()
        return Response(
            {
                **write_head(flow.asked),
                "n": parts.n,
                "mean_parts": parts.means if parts.n else None,
                "gates": [{**asdict(each), "caught": each.caught} for each in flow.costs()],
                "lead_time": {
                    "n": lead.n,
                    **{f"p{share * 100:.0f}": value for share, value in lead.percentiles},
                },
                "throughput": [
                    {
                        "from": week.period.from_.isoformat(),
                        "to": week.period.to.isoformat(),
                        "deployments": week.deployments,
                        "releases_asked_for": week.intents,
                    }
                    for week in flow.throughput()
                ],
                "controls": [
                    {**asdict(each), "n": each.n, "interval": write_plain(each.interval)}
                    for each in flow.controls()
                ],
                "strategies": [write_plain(each) for each in flow.outcomes()],
                "by_hand": asdict(hands),
                "open": _write_open(flow.open_work()),
            }
        )


def _write_open(work: OpenWork) -> dict[str, Any]:
    return {
        "promotions": work.n,
        "age_limits": list(AGE_LIMITS),
        "promotions_by_age": list(work.by_age),
        "builds_not_in_production_by_age": list(work.builds_by_age),
        "oldest": [
            {"promotion": each.number, "asked_at": each.asked_at.isoformat()}
            for each in work.oldest
        ],
    }
