"""One agreed assessment as CSV, JSON and evidence pack."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from metrics.maturity_exports import list_statements, write_assessment
from metrics.models import Assessment, Share
from metrics.packs import find_manifest_digest, make_pack
from metrics.sharing import find_share
from promotion.exceptions import ThroughlineError
from promotion.views.refusing import refuse

from .assessments import find_assessment
from .leadership import answer_csv
from .sharing import shared

Export = Callable[[Assessment, Share], HttpResponse]


def _exported(export: Export) -> Callable[[HttpRequest, str, str], HttpResponse]:
    """The export as a page that refuses what is not agreed."""

    @require_safe
    @wraps(export)
    def answer(request: HttpRequest, team: str, cycle: str) -> HttpResponse:
        assessment = find_assessment(team, cycle)
        try:
            return export(assessment, find_share(assessment.team, request.user))
        except ThroughlineError as error:
            return refuse(request, error, reverse("assessment-detail", args=[team, cycle]))

    return answer


@_exported
def export_csv(assessment: Assessment, share: Share) -> HttpResponse:
    """A row a statement."""
    return answer_csv(list(list_statements(assessment, share)), _name(assessment))


@_exported
def export_json(assessment: Assessment, share: Share) -> HttpResponse:
    """Levels, and each claim with what carries it."""
    answer = JsonResponse(write_assessment(assessment, share))
    answer["Content-Disposition"] = f'attachment; filename="{_name(assessment)}.json"'
    return answer


@_exported
def _export_whole(assessment: Assessment, _share: Share) -> HttpResponse:
    return answer_pack(assessment)


export_pack = shared(Share.EVIDENCE, _export_whole)


def answer_pack(assessment: Assessment) -> HttpResponse:
    """The pack as a download; a header tells the hash of its manifest."""
    data = make_pack(assessment)
    answer = HttpResponse(data, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{_name(assessment)}-pack.zip"'
    answer["X-Throughline-Manifest"] = f"sha256:{find_manifest_digest(data)}"
    return answer


def _name(assessment: Assessment) -> str:
    return f"{assessment.team.slug}-{assessment.cycle}"
