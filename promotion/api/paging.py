"""Lists are paged by cursor in a stable order."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from promotion.exceptions import InputError


class StableCursorPagination(CursorPagination):
    """The row kept last comes first; `limit` up to 500.

    Rows are ordered by their key, which never changes: a time would move when a later report
    corrects it, and the row would be shown twice or never.
    """

    ordering = "-pk"
    page_size_query_param = "limit"
    max_page_size = 500
    cursor_query_description = "Where the page begins, as `next` and `previous` of another gave it."
    page_size_query_description = "How many at once, 50 unless told, 500 at most."

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """The rows of the page; InputError for a cursor that was not given by us."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError, OverflowError, ValidationError, NotFound):
            # What it decodes to is not compared with a column before the query is made. The list
            # itself is there, so that a wrong cursor is never "not found".
            raise InputError(
                "This cursor was not given by this list. Begin again without one.", key="cursor"
            ) from None

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Where the page begins; ValueError for what no column of ours could hold."""
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and "\x00" in str(cursor.position):
            raise ValueError("A position with a zero byte was not given by us.")
        return cursor


class SlugCursorPagination(StableCursorPagination):
    """By the name in addresses, first to last."""

    ordering = "slug"
