"""How many commits lie between two releases, for many pairs in one query.

Raw SQL, since walking parents one query a commit would cost a page of 200 services thousands;
the same text runs on SQLite and PostgreSQL.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from promotion.models import Commit

FARTHEST = 100
PAIRS_AT_ONCE = 5000

_SQL = """
WITH RECURSIVE pair(number, repository, old, new) AS (VALUES {rows}),
line(number, repository, old, sha, steps) AS (
    SELECT number, CAST(repository AS text), CAST(old AS text), CAST(new AS text), 0 FROM pair
    UNION ALL
    SELECT line.number, line.repository, line.old, CAST(c.parent_sha AS text), line.steps + 1
    FROM line JOIN {table} c ON c.repository = line.repository AND c.sha = line.sha
    WHERE line.sha <> line.old AND line.steps < {farthest}
)
SELECT number, steps FROM line WHERE sha = old
"""


@dataclass(frozen=True, slots=True)
class CommitPair:
    """From the commit that runs downstream to the one upstream."""

    repository: str
    old: str
    new: str


def count_commits(pairs: Collection[CommitPair]) -> dict[CommitPair, int]:
    """Commits after `old` up to and with `new`; a pair is left out where the line is not known.

    Follows first parents, and looks no farther than 100 commits back.
    """
    wanted = [pair for pair in dict.fromkeys(pairs) if pair.repository and pair.old and pair.new]
    found: dict[CommitPair, int] = {}
    for start in range(0, len(wanted), PAIRS_AT_ONCE):
        found |= _count(wanted[start : start + PAIRS_AT_ONCE])
    return found


def _count(pairs: list[CommitPair]) -> dict[CommitPair, int]:
    if not pairs:
        return {}
    sql = _SQL.format(
        rows=", ".join(["(%s, %s, %s, %s)"] * len(pairs)),
        table=connection.ops.quote_name(Commit._meta.db_table),
        farthest=FARTHEST,
    )
    values = [
        value
        for number, pair in enumerate(pairs)
        for value in (number, pair.repository, pair.old, pair.new)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {pairs[number]: steps for number, steps in cursor.fetchall()}
