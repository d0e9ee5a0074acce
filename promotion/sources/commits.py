"""The commits a push lists, in one form for all senders."""

import re
from typing import Any

from .cleaning import clean_text
from .reading import Part
from .times import format_time

# Blanks are stripped afterwards: optional blanks around a lazy name would match in cubic time.
_CO_AUTHOR = re.compile(
    r"^co-authored-by:([^<\n]*)<([^>\n]+)>[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_MOST = 2000
_LONGEST_MESSAGE = 10_000


def read_commits(commits: Part) -> list[dict[str, Any]]:
    """Of each commit: sha, author_name, author_email, message, at, co_authors; only what is said."""
    return [one for one in map(_read_commit, list(commits)[:_MOST]) if one]


def co_authors_of(message: str | None) -> list[dict[str, str]]:
    """The people named by `Co-authored-by` trailers."""
    return [
        {"name": name.strip(), "email": address.strip()}
        for name, address in _CO_AUTHOR.findall(message or "")
    ]


def _read_commit(commit: Part) -> dict[str, Any] | None:
    sha = commit["id"].commit() or commit["hash"].commit() or commit["commitId"].commit()
    if sha is None:
        return None
    author = commit["author"]
    message = clean_text(commit["message"].value) or clean_text(commit["comment"].value)
    message = message[:_LONGEST_MESSAGE] if message else None
    name, address = _author(author)
    at = commit["timestamp"].time() or commit["date"].time() or author["date"].time()
    found: dict[str, Any] = {
        "sha": sha,
        "author_name": name,
        "author_email": address,
        "message": message,
        "at": format_time(at) if at else None,
        "co_authors": co_authors_of(message),
    }
    return {key: value for key, value in found.items() if value not in (None, [])}


def _author(author: Part) -> tuple[str | None, str | None]:
    name = author["name"].text() or author["display_name"].text()
    address = author["email"].text()
    raw = author["raw"].text()
    if raw and address is None and raw.endswith(">") and "<" in raw:
        before, _, inside = raw[:-1].rpartition("<")
        return clean_text(before) or name, clean_text(inside)
    return name, address
