"""A person's own notifications: the list, and marking one or all as read."""

from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion.actions.read_notices import mark_read
from promotion.models import NoticeKind, Notification, Token

from .authentication import person_of
from .fields import RowSerializer
from .parsing import BoundedJSONParser
from .queries import ListQuery, choice
from .reads import RowList, find_or_404
from .schema import problems


class NotificationSerializer(RowSerializer[Notification]):
    """What the person was told, with the address of the page that decides."""

    promotion = serializers.CharField(source="promotion.number", allow_null=True, default=None)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields: ClassVar = (
            "id",
            "kind",
            "sentence",
            "url",
            "promotion",
            "created_at",
            "read_at",
        )

    def get_url(self, row: Notification) -> str:
        """The whole address."""
        return f"{settings.PUBLIC_URL}{row.link}"


class NotificationQuery(ListQuery):
    """Of notifications."""

    kind = choice(NoticeKind.choices)
    unread = serializers.BooleanField(required=False, help_text="only those, or only those read")

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """Unread is what has no time of reading."""
        unread = lookups.pop("unread", None)
        found = rows.filter(**lookups)
        return found if unread is None else found.filter(read_at__isnull=unread)


class NotificationList(RowList[Notification]):
    """The person's own notifications, the newest first."""

    operation = "list_notifications"
    serializer_class = NotificationSerializer
    query = NotificationQuery

    def get_queryset(self) -> "QuerySet[Notification]":
        """Of the person whose token or session it is."""
        if getattr(self, "swagger_fake_view", False):
            return Notification.objects.none()
        person = person_of(self.request)
        return Notification.objects.shown().filter(person=person).select_related("promotion")


class ReadCountSerializer(serializers.Serializer[Any]):
    """How many were unread until now."""

    marked = serializers.IntegerField()


class NotificationRead(APIView):
    """POST /api/v1/notifications/<id>/read."""

    parser_classes = (BoundedJSONParser,)
    # It changes nothing but what the person has seen.
    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_notification",
        request=None,
        responses={200: NotificationSerializer, **problems(404)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Mark one notification of your own as read; repeating changes nothing."""
        person = person_of(request)
        rows = Notification.objects.shown().filter(person=person)
        find_or_404(rows, pk=pk)
        mark_read(person, number=pk, at=timezone.now())
        found = find_or_404(rows.select_related("promotion"), pk=pk)
        return Response(NotificationSerializer(found).data)


class NotificationReadAll(APIView):
    """POST /api/v1/notifications/read."""

    parser_classes = (BoundedJSONParser,)
    scope = Token.Scope.READ

    @extend_schema(
        operation_id="read_all_notifications",
        request=None,
        responses={200: ReadCountSerializer, **problems()},
    )
    def post(self, request: Request) -> Response:
        """Mark all of your own notifications as read."""
        return Response({"marked": mark_read(person_of(request), at=timezone.now())})
