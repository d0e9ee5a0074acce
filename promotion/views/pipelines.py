"""What has to be true before something moves: pipelines, their stages beside the YAML, and changing them."""

from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from promotion import tasks
from promotion.actions.apply_pipeline import apply_pipeline, check_pipeline
from promotion.configuration_forms import PipelineTextForm
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import Environment, PipelineVersion, Service
from promotion.rules.pipeline import PipelineError, PipelineForm, Problem

from .keyset import asked
from .person import person_of
from .pipeline_stages import StageTold, tell_stage
from .refusing import refuse, status_of

VERSIONS_SHOWN = 50


@require_safe
def list_pipelines(request: HttpRequest) -> HttpResponse:
    """Every service with the newest version of its pipeline, those without one last."""
    newer = PipelineVersion.objects.filter(
        pipeline=OuterRef("pipeline"), number__gt=OuterRef("number")
    )
    newest = {
        version.pipeline.service_id: version
        for version in PipelineVersion.objects.filter(~Exists(newer))
        .select_related("pipeline", "applied_by")
        .defer("text")
    }
    team = asked(request, "team")
    services = Service.objects.select_related("team")
    if team:
        services = services.filter(team__slug=team)
    rows = [(service, newest.get(service.pk)) for service in services]
    rows.sort(key=lambda row: row[1] is None)
    context = {
        "rows": [(service, version, _stage_names(version)) for service, version in rows],
        "team": team,
        "sentence": _count(rows),
    }
    return render(request, "promotion/pipeline_list.html", context)


@require_safe
def show_pipeline(request: HttpRequest, service: str) -> HttpResponse:
    """The stages beside the YAML of the newest version, or of `?version=`."""
    return _page(request, _service(service))


@require_POST
def validate(request: HttpRequest, service: str) -> HttpResponse:
    """Says everything that is wrong with a text, and changes nothing."""
    found = _service(service)
    form = PipelineTextForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=400, form=form)
    parsed, problems, warnings = _check(found, form.cleaned_data["text"])
    checked = {"problems": problems, "warnings": warnings, "is_good": not problems}
    return _page(request, found, form=form, checked=checked, parsed=parsed)


@require_POST
def apply(request: HttpRequest, service: str) -> HttpResponse:
    """Makes a text the newest version; refused where another was applied since the page was read."""
    found = _service(service)
    person = person_of(request)
    form = PipelineTextForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=400, form=form)
    text = form.cleaned_data["text"]
    number = _current_number(found)
    if request.POST.get("base", str(number)) != str(number):
        form.add_error(
            None,
            f"Version {number} was applied since you opened this page. Nothing was changed;"
            " compare it with yours and apply again.",
        )
        return _page(request, found, status=409, form=form)
    parsed, problems, warnings = _check(found, text)
    if problems:
        checked = {"problems": problems, "warnings": warnings, "is_good": False}
        return _page(request, found, status=400, form=form, checked=checked, parsed=parsed)
    return _apply(request, found, text, form, person)


def _apply(
    request: HttpRequest, service: Service, text: str, form: PipelineTextForm, person: Any
) -> HttpResponse:
    try:
        version = apply_pipeline(text, person=person, at=timezone.now())
    except PipelineError as error:
        checked = {"problems": error.problems, "warnings": (), "is_good": False}
        return _page(request, service, status=400, form=form, checked=checked)
    except InputError as error:
        form.add_problem(error)
        return _page(request, service, status=status_of(error), form=form)
    except ThroughlineError as error:
        return refuse(request, error, f"/pipelines/{service.slug}/")
    tasks.look_at_service.delay_on_commit(service.pk)
    messages.success(request, f"Version {version.number} is in use.")
    return redirect("pipeline-detail", service.slug)


def _check(
    service: Service, text: str
) -> tuple[PipelineForm | None, tuple[Problem, ...], tuple[str, ...]]:
    parsed, problems, warnings = check_pipeline(text, at=timezone.now())
    if parsed is not None and parsed.service != service.slug:
        wrong = Problem(
            parsed.line_of("service"),
            "service",
            f"This is the pipeline of {service.slug}; the text is of {parsed.service}.",
        )
        problems = (wrong, *problems)
    return parsed, problems, warnings


def _page(
    request: HttpRequest,
    service: Service,
    *,
    status: int = 200,
    form: PipelineTextForm | None = None,
    checked: dict[str, Any] | None = None,
    parsed: PipelineForm | None = None,
) -> HttpResponse:
    versions = list(
        PipelineVersion.objects.filter(pipeline__service=service)
        .select_related("applied_by")
        .defer("document")
        .order_by("-number")[:VERSIONS_SHOWN]
    )
    wanted = asked(request, "version")
    current = versions[0] if versions else None
    shown = next((one for one in versions if str(one.number) == wanted), current)
    text = form.data.get("text", "") if form else (shown.text if shown else "")
    may_change = person_of(request).may_configure()
    context = {
        "service": service,
        "versions": versions,
        "current": current,
        "shown": shown,
        "stages": _stages(parsed, shown),
        "stages_are_drafted": parsed is not None,
        "lines": _lines(text, checked["problems"] if checked else ()),
        "is_draft": form is not None,
        "checked": checked,
        "may_change": may_change,
        "form": _editor(service, shown, form) if may_change else form,
        "is_open": form is not None,
    }
    return render(request, "promotion/pipeline_detail.html", context, status=status)


def _editor(
    service: Service, shown: PipelineVersion | None, form: PipelineTextForm | None
) -> PipelineTextForm:
    return form or PipelineTextForm(initial={"text": shown.text if shown else _begin(service)})


def _begin(service: Service) -> str:
    """What a service without a pipeline begins with: one stage per environment, in order."""
    lines, before = [f"service: {service.slug}", "stages:"], ""
    for environment in Environment.objects.all():
        lines += [f"  - name: {environment.slug}", f"    environment: {environment.slug}"]
        lines += [f"    after: [{before}]"] if before else []
        before = environment.slug
    return "\n".join(lines) + "\n"


def _stages(parsed: PipelineForm | None, shown: PipelineVersion | None) -> list[StageTold]:
    try:
        form = parsed or (shown.form if shown else None)
    except InputError:
        return []  # applied under older rules; the YAML beside still shows it
    return [tell_stage(stage) for stage in form.stages] if form else []


def _lines(text: str, problems: tuple[Problem, ...]) -> list[tuple[str, list[str]]]:
    """Each line of the text with what is wrong on it."""
    wrong: dict[int, list[str]] = {}
    for one in problems:
        wrong.setdefault(one.line, []).append(one.sentence)
    return [(line, wrong.get(n, [])) for n, line in enumerate(text.splitlines(), 1)]


def _service(slug: str) -> Service:
    found = Service.objects.select_related("team").filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def _current_number(service: Service) -> int:
    return (
        PipelineVersion.objects.filter(pipeline__service=service)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
        or 0
    )


def _stage_names(version: PipelineVersion | None) -> list[str]:
    document = version.document if version else {}
    stages = document.get("stages", []) if isinstance(document, dict) else []
    return [str(stage.get("name", "")) for stage in stages if isinstance(stage, dict)]


def _count(rows: list[tuple[Service, PipelineVersion | None]]) -> str:
    without = sum(1 for _, version in rows if version is None)
    if not rows:
        return "No service is known yet, so there is no pipeline."
    noun = "service has" if len(rows) == 1 else "services have"
    if not without:
        return f"{len(rows)} {noun} a pipeline, each with its own."
    return (
        f"{len(rows) - without} of {len(rows)} {noun} a pipeline; without one nothing is promoted."
    )
