"""How severe an incident is, in the words of many tools. Pure."""

import re

# From the most severe on; each word is that of a tool whose incidents are read.
SCALE: tuple[frozenset[str], ...] = (
    frozenset(
        {"emergency", "fatal", "disaster", "blocker", "critical"}
        | {"p0", "sev0", "s0", "0", "p1", "sev1", "s1", "1"}
    ),
    frozenset({"high", "major", "error", "alert", "p2", "sev2", "s2", "2"}),
    frozenset({"medium", "moderate", "average", "warning", "warn", "p3", "sev3", "s3", "3"}),
    frozenset({"low", "minor", "notice", "p4", "sev4", "s4", "4"}),
    frozenset(
        {"info", "informational", "information", "trivial", "none", "debug", "ok"}
        | {"p5", "sev5", "s5", "5"}
    ),
)
RANKS = {word: rank for rank, words in enumerate(SCALE) for word in words}
CHOICES = ("critical", "high", "medium", "low")


def rank_severity(word: str) -> int | None:
    """0 for the most severe; None for a word that says nothing known."""
    plain = re.sub(r"[\s_-]+", "", word.strip().lower())
    return RANKS.get(plain)


def is_severe(word: str, least: str) -> bool:
    """At or above the least severity that counts.

    Without a least one every incident counts, and so does one whose severity says nothing known:
    what cannot be judged is not left out.
    """
    threshold, rank = rank_severity(least), rank_severity(word)
    return threshold is None or rank is None or rank <= threshold
