"""Checking a pipeline's text against all that exists, and making it the one that counts."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from promotion.exceptions import InputError, NotAllowedError
from promotion.gates.known import GATES
from promotion.models import (
    Connection,
    Environment,
    Pipeline,
    PipelineVersion,
    Service,
    Team,
    User,
)
from promotion.rules.pipeline import (
    KnownNames,
    PipelineError,
    PipelineForm,
    Problem,
    pipeline_document,
    read_pipeline,
    reference_problems,
    settings_problems,
)
from promotion.steps.known import STEPS

from .ask_reverification import schedule_reverifications
from .audit import record
from .finish import wake_service
from .pipeline_warnings import list_warnings

LONGEST_REASON = 500


def check_pipeline(
    text: str, *, at: datetime | None = None
) -> tuple[PipelineForm | None, tuple[Problem, ...], tuple[str, ...]]:
    """What the text says (None if unreadable), what is wrong, and what cannot work well.

    Changes nothing. `at` is when windows are looked at, by default now.
    """
    try:
        form = read_pipeline(text)
    except PipelineError as error:
        return None, error.problems, ()
    problems = (
        *reference_problems(form, read_known_names()),
        *settings_problems(
            form,
            {kind: gate.problems_in for kind, gate in GATES.items()},
            {kind: step.problems_in for kind, step in STEPS.items()},
        ),
    )
    if problems:
        return form, tuple(sorted(set(problems))), ()
    return form, (), list_warnings(form, at=at or timezone.now())


@transaction.atomic
def apply_pipeline(
    text: str, *, person: User | None, at: datetime, reason: str = ""
) -> PipelineVersion:
    """Makes the text the newest version of its service's pipeline.

    A text that says the same as the newest changes nothing and gives that one back. `person` is
    None where the machine's operator applies it. NotAllowedError where the person may not
    configure, PipelineError with every problem where the text cannot be used, InputError where
    the reason is too long.
    """
    if person is not None and not person.may_configure():
        raise NotAllowedError(
            f"{person.name} may not change pipelines: that takes a platform engineer."
            " Nothing was changed."
        )
    if len(reason.strip()) > LONGEST_REASON:
        raise InputError(
            f"A reason has at most {LONGEST_REASON} characters. Nothing was changed.", key="reason"
        )
    form, problems, _ = check_pipeline(text, at=at)
    if problems or form is None:
        raise PipelineError(problems)
    # The lock on the service lets two who apply at once take two numbers.
    service = Service.objects.select_for_update(no_key=True).get(slug=form.service)
    pipeline, _ = Pipeline.objects.get_or_create(service=service)
    before = pipeline.current
    document = pipeline_document(form)
    if before is not None and (before.text == text or before.document == document):
        return before
    version = PipelineVersion.objects.create(
        pipeline=pipeline,
        number=before.number + 1 if before else 1,
        text=text,
        document=document,
        applied_at=at,
        applied_by=person,
        reason=reason.strip(),
    )
    Service.objects.filter(pk=service.pk).update(
        version_pattern=form.version_pattern, artifact_names=list(form.artifacts)
    )
    schedule_reverifications(service, form, at)
    details = {
        "service": service.slug,
        "number": version.number,
        "before": before.number if before else 0,
    }
    record("pipeline.apply", version, actor=person, at=at, reason=version.reason, details=details)
    wake_service(service.pk, at)
    return version


def read_known_names() -> KnownNames:
    """Everything that exists and that a pipeline may name."""
    environments = Environment.objects.prefetch_related("targets")
    return KnownNames(
        services=frozenset(Service.objects.values_list("slug", flat=True)),
        environments={
            environment.slug: tuple(target.name for target in environment.targets.all())
            for environment in environments
        },
        connections=frozenset(Connection.objects.values_list("name", flat=True)),
        groups=frozenset(Group.objects.values_list("name", flat=True)),
        teams=frozenset(Team.objects.values_list("slug", flat=True)),
        users=frozenset(User.objects.filter(is_active=True).values_list("username", flat=True)),
    )
