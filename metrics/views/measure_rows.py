"""The rows behind a figure: filtered, sorted, paged, and as CSV."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metrics.actions.set_target import NewTarget, set_target
from metrics.addresses import FactLink, link_facts, place_rows
from metrics.described import (
    BY_SLUG,
    SET_ASIDE_WORDS,
    VERDICT_STATUS,
    VERDICT_WORDS,
    Described,
)
from metrics.exported import HEAD_COLUMNS, name_headers, write_head, write_time
from metrics.forms import TargetForm
from metrics.measures.periods import span_of
from metrics.measures.results import DEFINITION, Row
from metrics.reports import Report, open_report
from metrics.rollups.base import SORTS, Wanted
from metrics.spreadsheets import write_csv
from promotion.exceptions import ThroughlineError
from promotion.models import User
from promotion.views.refusing import refuse

from .filtering import make_bar, read_asked
from .set_aside import find_set_aside

PAGE = 50
LONGEST = 200
BATCH = 2000
WITH_HOURS = ("build_to_production", "failures")
COLUMNS = (
    ("at", "When"),
    ("service", "Service"),
    ("environment", "Environment"),
    ("verdict", "Counted as"),
)
CSV_COLUMNS = (
    "measure",
    "definition",
    "from",
    "to",
    "as_of",
    "filters",
    "unit",
    "service",
    "environment",
    "digest",
    "version",
    "promotion",
    "at",
    "started_at",
    "finished_at",
    "counted_as",
    "in_numerator",
    "watch_window_over",
    "hours",
    "reason",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows are shown, and in what order."""

    verdict: str
    sort: str
    is_ascending: bool
    aside: str

    def want(self, report: Report) -> Wanted:
        """The rows chosen, and in what order."""
        span = span_of(report.asked.period)
        return Wanted(span, self.verdict, self.sort, self.is_ascending)


class Counted(Sequence[Any]):
    """A list of which the length is known, and parts are read when they are asked for."""

    def __init__(self, n: int, read: Callable[[slice], list[Any]]) -> None:
        self._n, self._read = n, read

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, part: Any) -> Any:
        return self._read(part) if isinstance(part, slice) else self._read(slice(part, part + 1))[0]


def _read_choice(request: HttpRequest) -> Choice:
    sort = request.GET.get("sort", "")
    is_ascending = not sort.startswith("-") if sort else False
    sort = sort.removeprefix("-")
    aside = request.GET.get("set", "")
    return Choice(
        verdict=request.GET.get("verdict", "")[:LONGEST],
        sort=sort if sort in SORTS else "at",
        is_ascending=is_ascending,
        aside=aside if aside in SET_ASIDE_WORDS else "",
    )


@require_safe
def list_rows(request: HttpRequest, slug: str) -> HttpResponse:
    """The units a figure counts, each with its verdict and where to read of it."""
    described, report, choice = _read(request, slug)
    if choice.aside:
        return _list_set_aside(request, described, report, choice.aside)
    result = report.compute(described.name, is_whole=False)
    verdicts = report.count_verdicts(described.name)
    page = _find_page(request, report, described, choice, verdicts)
    found = list(page.object_list)
    places, facts = place_rows(found), link_facts(found)
    context = {
        "bar": make_bar(report.asked),
        "described": described,
        "result": result,
        "rows": [_show_row(row, places, facts) for row in found],
        "page": page,
        "choice": choice,
        "columns": [_head(choice, key, words) for key, words in COLUMNS],
        "hours_column": _head(choice, "hours", "Time"),
        "verdicts": [(verdict, VERDICT_WORDS.get(verdict, verdict)) for verdict in verdicts],
        "has_hours": described.name in WITH_HOURS,
        "csv_query": urlencode({**report.asked.query(), "verdict": choice.verdict}),
        "definition": DEFINITION,
        "nav_section": "measure",
    }
    return render(request, "metrics/measure_rows.html", context)


def _find_page(
    request: HttpRequest,
    report: Report,
    described: Described,
    choice: Choice,
    verdicts: dict[str, int],
) -> Page[Any]:
    """A page of rows; how many there are is known from the sums."""
    wanted = choice.want(report)
    n = verdicts.get(choice.verdict, 0) if choice.verdict else sum(verdicts.values())
    rows = Counted(n, lambda part: report.rows(described.name, part, wanted))
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))


def _read(request: HttpRequest, slug: str) -> tuple[Described, Report, Choice]:
    described = BY_SLUG.get(slug)
    if described is None:
        raise Http404
    return described, open_report(read_asked(request)), _read_choice(request)


def _head(choice: Choice, key: str, words: str) -> dict[str, Any]:
    """A column head that sorts by its column, and by the other end when it already does."""
    is_current = choice.sort == key
    ascending = is_current and not choice.is_ascending
    return {
        "words": words,
        "sort": key if ascending else f"-{key}",
        "direction": ("ascending" if choice.is_ascending else "descending") if is_current else "",
    }


def _show_row(row: Row, places: dict[str, Any], facts: dict[str, list[FactLink]]) -> dict[str, Any]:
    return {
        "row": row,
        "facts": facts.get(row.unit, []),
        "place": places.get(row.unit),
        "verdict": VERDICT_WORDS.get(row.verdict, row.verdict),
        "status": VERDICT_STATUS.get(row.verdict, "unknown"),
        "digest": row.digest if row.digest.startswith("sha256:") else None,
        "seconds": None if row.hours is None else row.hours * 3600,
    }


def _list_set_aside(
    request: HttpRequest, described: Described, report: Report, aside: str
) -> HttpResponse:
    """What is not in the figure, and why."""
    count = report.count_aside(described.name)[aside]
    facts = Counted(count, lambda part: report.list_aside(described.name, aside, part))
    page = Paginator(facts, PAGE).get_page(request.GET.get("page"))
    context = {
        "bar": make_bar(report.asked),
        "described": described,
        "aside": aside,
        "words": SET_ASIDE_WORDS[aside],
        "facts": find_set_aside(fact.id for fact in page.object_list),
        "page": page,
        "nav_section": "measure",
    }
    return render(request, "metrics/measure_set_aside.html", context)


@require_safe
def export_rows(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The same rows as CSV; each names its definition, period, filters and as-of."""
    described, report, choice = _read(request, slug)
    answer = StreamingHttpResponse(
        write_csv(_export(described, report, choice)),
        content_type="text/csv; charset=utf-8",
        headers=name_headers(report.asked),
    )
    name = f"{described.slug}-{report.asked.period.from_}-{report.asked.period.to}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _read_batches(described: Described, report: Report, choice: Choice) -> Iterator[list[Row]]:
    """All rows chosen, some at a time."""
    wanted, start = choice.want(report), 0
    while True:
        batch = report.rows(described.name, slice(start, start + BATCH), wanted)
        if not batch:
            return
        yield batch
        start += BATCH


def _export(described: Described, report: Report, choice: Choice) -> Iterator[tuple[object, ...]]:
    yield CSV_COLUMNS
    said = write_head(report.asked)
    head = (described.name, *(said[name] for name in HEAD_COLUMNS if name != "zone"))
    for batch in _read_batches(described, report, choice):
        places = place_rows(batch)
        for row in batch:
            place = places[row.unit]
            yield (
                *(*head, row.unit, row.service, row.environment, row.digest),
                *(place.version, place.promotion),
                *(write_time(row.at), write_time(row.started_at), write_time(row.finished_at)),
                *(row.verdict, bool(row.good and row.mature), bool(row.mature)),
                "" if row.hours is None else f"{row.hours:.4f}",
                row.reason,
            )


@require_POST
def change_target(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets or ends the target of a measure."""
    described = BY_SLUG.get(slug)
    if described is None:
        raise Http404
    form = TargetForm(request.POST)
    back = reverse("measure-detail", args=[slug])
    if not form.is_valid():
        messages.error(request, "A target is a number from 0 up. No target was set.")
        return redirect(back)
    given = form.cleaned_data
    new = NewTarget(described.name, given["value"], given["team"], given["service"])
    try:
        target = set_target(new, person=cast(User, request.user), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, back)
    messages.success(request, "Target set." if target.value is not None else "Target ended.")
    query = urlencode({key: given[key] for key in ("team", "service") if given[key]})
    return redirect(f"{back}?{query}" if query else back)
