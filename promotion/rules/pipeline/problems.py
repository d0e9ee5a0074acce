"""What is wrong with a pipeline's text: all of it at once, each with its line and key."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from promotion.exceptions import InputError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong: the line (from 1; 0 where there is none), the dotted key, the sentence."""

    line: int
    key: str
    sentence: str

    def __str__(self) -> str:
        return " ".join(part for part in (f"line {self.line}", self.key, self.sentence) if part)


class PipelineError(InputError):
    """The pipeline cannot be used; `problems` says everything that is wrong, by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        first = self.problems[0]
        count = len(self.problems)
        more = f", and {count - 1} more problem{'s' if count > 2 else ''}" if count > 1 else ""
        super().__init__(
            f"The pipeline cannot be read and nothing was changed: {first}{more}",
            line=first.line,
            key=first.key,
        )


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    if not names:
        return "; there is none."
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"; known: {shown}."
