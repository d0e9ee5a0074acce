"""What has to be true before something moves: pipelines, their stages beside the YAML, and changing them."""

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from promotion import tasks
from promotion.actions.apply_pipeline import apply_pipeline
from promotion.actions.dry_run import dry_run
from promotion.configuration_forms import PipelineTextForm
from promotion.exceptions import InputError, ThroughlineError
from promotion.models import PipelineVersion, Service
from promotion.rules.pipeline import PipelineError

from .keyset import asked
from .person import person_of
from .pipeline_page import Checked, check, list_versions, show_page
from .refusing import refuse, status_of


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
    return show_page(request, _service(service))


@require_POST
def validate(request: HttpRequest, service: str) -> HttpResponse:
    """Says everything that is wrong with a text, and changes nothing."""
    found = _service(service)
    form = PipelineTextForm(request.POST)
    if not form.is_valid():
        return show_page(request, found, status=400, form=form)
    checked = check(found, form.cleaned_data["text"], timezone.now())
    return show_page(request, found, form=form, checked=checked)


@require_POST
def try_out(request: HttpRequest, service: str) -> HttpResponse:
    """Says what a text would change for all that waits, and changes nothing."""
    found, at = _service(service), timezone.now()
    form = PipelineTextForm(request.POST)
    if not form.is_valid():
        return show_page(request, found, status=400, form=form)
    text = form.cleaned_data["text"]
    checked = check(found, text, at)
    if checked.problems or checked.parsed is None:
        return show_page(request, found, form=form, checked=checked)
    tried = dry_run(found, text, checked.parsed, at=at)
    return show_page(request, found, form=form, checked=checked, tried=tried)


@require_POST
def apply(request: HttpRequest, service: str) -> HttpResponse:
    """Makes a text the newest version; refused where another was applied since the page was read."""
    return _take(request, _service(service), PipelineTextForm(request.POST))


@require_POST
def apply_again(request: HttpRequest, service: str) -> HttpResponse:
    """Makes the text of an earlier version the newest version."""
    found = _service(service)
    wanted = request.POST.get("version", "")
    earlier = next((one for one in list_versions(found) if str(one.number) == wanted), None)
    if earlier is None:
        raise Http404
    sent = request.POST.copy()
    sent["text"] = earlier.text
    return _take(request, found, PipelineTextForm(sent))


def _take(request: HttpRequest, service: Service, form: PipelineTextForm) -> HttpResponse:
    if not form.is_valid():
        return show_page(request, service, status=400, form=form)
    number = _current_number(service)
    if request.POST.get("base", str(number)) != str(number):
        form.add_error(
            None,
            f"Version {number} was applied since you opened this page. Nothing was changed;"
            " compare it with yours and apply again.",
        )
        return show_page(request, service, status=409, form=form)
    checked = check(service, form.cleaned_data["text"], timezone.now())
    if checked.problems:
        return show_page(request, service, status=400, form=form, checked=checked)
    return _apply(request, service, form, checked)


def _apply(
    request: HttpRequest, service: Service, form: PipelineTextForm, checked: Checked
) -> HttpResponse:
    person, at, reason = person_of(request), timezone.now(), form.cleaned_data["reason"].strip()
    if person.may_configure() and not reason:
        form.add_error("reason", "Say why it is applied. Nothing was changed.")
        return show_page(request, service, status=400, form=form, checked=checked)
    try:
        version = apply_pipeline(form.cleaned_data["text"], person=person, at=at, reason=reason)
    except PipelineError as error:
        return show_page(request, service, status=400, form=form, checked=Checked(error.problems))
    except InputError as error:
        form.add_problem(error)
        return show_page(request, service, status=status_of(error), form=form)
    except ThroughlineError as error:
        return refuse(request, error, f"/pipelines/{service.slug}/")
    if version.applied_at != at:
        said = f"The text says the same as version {version.number}; nothing was changed."
        messages.info(request, said)
        return redirect("pipeline-detail", service.slug)
    tasks.look_at_service.delay_on_commit(service.pk)
    messages.success(request, f"Version {version.number} is in use.")
    return redirect("pipeline-detail", service.slug)


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
