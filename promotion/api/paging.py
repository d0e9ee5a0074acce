"""Lists are paged by cursor in a stable order."""

from rest_framework.pagination import CursorPagination


class StableCursorPagination(CursorPagination):
    """Newest first; `limit` up to 500."""

    ordering = "-pk"
    page_size_query_param = "limit"
    max_page_size = 500
