"""The page of one pipeline: stages beside the YAML, what was found in a text, the editor, the versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from promotion.actions.apply_pipeline import check_pipeline
from promotion.actions.dry_run import DryRun
from promotion.configuration_forms import PipelineTextForm
from promotion.exceptions import InputError
from promotion.models import Environment, PipelineVersion, Service
from promotion.rules.pipeline import PipelineForm, Problem

from .approval_panel import CONTENT_WORDS
from .keyset import asked
from .person import person_of
from .pipeline_stages import StageTold, tell_stage

VERSIONS_SHOWN = 50
# Every version has a number of its own; to say that it differs would say nothing.
ALWAYS_NEW = "pipeline_version"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a text: all that is wrong, what cannot work well, and the form if readable."""

    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()
    parsed: PipelineForm | None = None

    @property
    def is_good(self) -> bool:
        """It can be applied."""
        return not self.problems


def check(service: Service, text: str, at: datetime) -> Checked:
    """Everything that is wrong with the text as the pipeline of this service; changes nothing."""
    parsed, problems, warnings = check_pipeline(text, at=at)
    if parsed is not None and parsed.service != service.slug:
        wrong = Problem(
            parsed.line_of("service"),
            "service",
            f"This is the pipeline of {service.slug}; the text is of {parsed.service}.",
        )
        problems = (wrong, *problems)
    return Checked(problems, warnings, parsed)


def show_page(
    request: HttpRequest,
    service: Service,
    *,
    status: int = 200,
    form: PipelineTextForm | None = None,
    checked: Checked | None = None,
    tried: DryRun | None = None,
) -> HttpResponse:
    """The page; a text that was sent stands in the editor as it was typed."""
    versions = list_versions(service)
    wanted = asked(request, "version")
    current = versions[0] if versions else None
    shown = next((one for one in versions if str(one.number) == wanted), current)
    text = form.data.get("text", "") if form else (shown.text if shown else "")
    may_change = person_of(request).may_configure()
    parsed = checked.parsed if checked else None
    context = {
        "service": service,
        "versions": versions,
        "current": current,
        "shown": shown,
        "stages": _stages(parsed, shown),
        "stages_are_drafted": parsed is not None,
        "lines": _lines(text, checked.problems if checked else ()),
        "is_draft": form is not None,
        "checked": checked,
        "tried": tried,
        "affected": _tell_affected(tried),
        "may_change": may_change,
        "form": _editor(service, shown, form) if may_change else form,
        "is_open": form is not None,
    }
    return render(request, "promotion/pipeline_detail.html", context, status=status)


def list_versions(service: Service) -> list[PipelineVersion]:
    """The newest first; the normal forms stay unread."""
    return list(
        PipelineVersion.objects.filter(pipeline__service=service)
        .select_related("applied_by")
        .defer("document")
        .order_by("-number")[:VERSIONS_SHOWN]
    )


def _tell_affected(tried: DryRun | None) -> list[tuple[Any, str]]:
    """Each waiting promotion with what of its content would differ, in words."""
    return [
        (
            one,
            ", ".join(CONTENT_WORDS.get(key, key) for key in one.changed if key != ALWAYS_NEW),
        )
        for one in (tried.affected if tried else ())
    ]


def _editor(
    service: Service, shown: PipelineVersion | None, form: PipelineTextForm | None
) -> PipelineTextForm:
    begun = {"text": shown.text if shown else _begin(service)}
    editor = form or PipelineTextForm(initial=begun)
    # Who checks or tries out need not say why; who applies must, and so the field is shown.
    editor.fields["reason"].required = True
    return editor


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
