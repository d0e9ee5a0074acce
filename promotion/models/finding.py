"""Finding one row by what it is known by, where every delivery asks for it.

Composing the statement costs several times what PostgreSQL takes to answer it, so it is composed once.
"""

from functools import lru_cache
from typing import TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def find_known(model: type[Row], column: str, value: str) -> Row | None:
    """The row whose unique column holds the value; None where there is none."""
    rows = model._default_manager.raw(_statement(model, column), [value])
    return next(iter(rows), None)


@lru_cache(maxsize=16)
def _statement(model: type[models.Model], column: str) -> str:
    quote = connection.ops.quote_name
    names = {field.name: quote(str(field.column)) for field in model._meta.concrete_fields}
    columns, known_by = ", ".join(names.values()), names[column]
    return f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE {known_by} = %s"  # noqa: S608
