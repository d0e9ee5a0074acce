"""What people do with a step: let a pause go on."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promotion.actions.go_on import go_on, pause_of
from promotion.exceptions import ConflictError
from promotion.models import Promotion

from .authentication import person_of
from .promotion_rows import PromotionDetailSerializer
from .promotions import PromotionAct, tell
from .reads import find_or_404
from .schema import problems


class GoOn(PromotionAct):
    """POST /api/v1/promotions/<id>/go-on."""

    @extend_schema(
        operation_id="let_promotion_go_on",
        request=None,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Let the pause that waits for a person go on, as the person the token belongs to."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        paused = pause_of(number)
        if paused is None:
            raise ConflictError(
                f"P-{number} does not wait for a person to let it go on. Nothing was changed."
            )
        go_on(paused.pk, person=person, at=timezone.now())
        return tell(number)
