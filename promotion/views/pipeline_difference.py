"""What differs between two versions of a pipeline: by meaning, and line by line."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from promotion.models import PipelineVersion, Service
from promotion.rules.pipeline.differences import tell_differences

from .keyset import asked

LINES_AROUND = 3


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line: kind is same, added, removed, or gap where equal lines are left out."""

    kind: str
    number: int
    text: str


@require_safe
def compare(request: HttpRequest, service: str) -> HttpResponse:
    """`?from=` and `?to=` choose the versions; without them the newest and the one before it."""
    found = Service.objects.select_related("team").filter(slug=service).first()
    versions = (
        list(
            PipelineVersion.objects.filter(pipeline__service=found)
            .select_related("applied_by")
            .order_by("-number")
        )
        if found
        else []
    )
    if found is None or not versions:
        raise Http404
    by_number = {str(one.number): one for one in versions}
    new = by_number.get(asked(request, "to"), versions[0])
    before = next((one for one in versions if one.number < new.number), new)
    old = by_number.get(asked(request, "from"), before)
    context = {
        "service": found,
        "versions": versions,
        "old": old,
        "new": new,
        "meanings": tell_differences(old.document, new.document),
        "lines": list(compare_lines(old.text, new.text)),
        "nav_section": "pipeline-list",
    }
    return render(request, "promotion/pipeline_difference.html", context)


def compare_lines(old: str, new: str) -> Iterator[DiffLine]:
    """The lines that differ, with a few around them; nothing where the texts are the same.

    A removed line is numbered as in the old text, all others as in the new.
    """
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    last = 0
    for group in matcher.get_grouped_opcodes(LINES_AROUND):
        if group[0][3] > last:
            yield DiffLine("gap", 0, "")
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from _numbered("same", after, new_from, new_to)
            else:
                yield from _numbered("removed", before, old_from, old_to)
                yield from _numbered("added", after, new_from, new_to)
        last = group[-1][4]
    if 0 < last < len(after):
        yield DiffLine("gap", 0, "")


def _numbered(kind: str, lines: list[str], since: int, to: int) -> Iterator[DiffLine]:
    for number in range(since, to):
        yield DiffLine(kind, number + 1, lines[number])
