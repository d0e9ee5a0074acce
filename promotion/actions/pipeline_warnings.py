"""What in a pipeline is allowed but cannot work well, each in a sentence."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from promotion.formats import format_span
from promotion.models import Release, Service, User
from promotion.rules.assignment import can_fill_all
from promotion.rules.pipeline import ApprovalForm, PipelineForm, StageForm
from promotion.rules.windows import HORIZON, judge_windows

# The usual time between releases is the middle one of so many; of fewer than the least, unknown.
RELEASES_LOOKED_AT = 30
FEWEST_GAPS = 3


def list_warnings(form: PipelineForm, *, at: datetime) -> tuple[str, ...]:
    """For a pipeline without problems: windows that never open, too few people, too long a soak."""
    service = Service.objects.select_related("team").get(slug=form.service)
    usual = usual_time_between_releases(service)
    people = (
        _list_people(service)
        if any(s.approvals or s.rollback_approvals for s in form.stages)
        else {}
    )
    warnings: list[str] = []
    for stage in form.stages:
        warnings += _window_warnings(stage, at)
        warnings += _people_warnings(stage, stage.approvals, people)
        warnings += _people_warnings(stage, stage.rollback_approvals, people)
        warnings += _soak_warnings(stage, usual)
    return (*warnings, *_repository_warnings(form))


def usual_time_between_releases(service: Service) -> timedelta | None:
    """The median time between the newest releases; None where there are too few to tell."""
    newest = Release.objects.filter(service=service).newest_first()
    times = list(newest.values_list("created_at", flat=True)[:RELEASES_LOOKED_AT])
    gaps = [later - earlier for later, earlier in pairwise(times)]
    if len(gaps) < FEWEST_GAPS:
        return None
    return timedelta(seconds=median(gap.total_seconds() for gap in gaps))


def _window_warnings(stage: StageForm, at: datetime) -> Iterator[str]:
    state = judge_windows(stage.windows.allow, stage.windows.deny, at)
    if not state.open and state.next_change is None:
        yield f"Stage {stage.name}: no window opens within {HORIZON.days} days, nothing can start."


def _soak_warnings(stage: StageForm, usual: timedelta | None) -> Iterator[str]:
    if usual is not None and stage.soak > usual:
        yield (
            f"Stage {stage.name}: a soak of {format_span(stage.soak)} is longer than the usual "
            f"{format_span(usual)} between releases; most will be overtaken."
        )


def _people_warnings(
    stage: StageForm, rules: tuple[ApprovalForm, ...], people: dict[str, frozenset[str]]
) -> Iterator[str]:
    """Rules that too few people can meet, alone or, where each counts once, together."""
    let_in = [_let_in(rule, people) for rule in rules]
    for rule, names in zip(rules, let_in, strict=True):
        if len(names) < rule.count:
            found = f"only {len(names)}" if names else "nobody"
            yield f"Stage {stage.name}: the rule {rule.name} needs {rule.count}, lets in {found}."
    counts = [rule.count for rule in rules]
    enough = all(len(names) >= count for names, count in zip(let_in, counts, strict=True))
    if stage.distinct and enough and not can_fill_all(counts, let_in):
        yield f"Stage {stage.name}: too few people for a different one in each approval rule."


def _let_in(rule: ApprovalForm, people: dict[str, frozenset[str]]) -> list[str]:
    entries = {*rule.from_, *((rule.fallback,) if rule.fallback else ())}
    return sorted(name for name, groups in people.items() if groups & entries)


def _list_people(service: Service) -> dict[str, frozenset[str]]:
    """Each active person as rules write them: user, groups, roles for the service's team."""
    people: dict[str, frozenset[str]] = {}
    for person in User.objects.filter(is_active=True).prefetch_related(
        "groups", "memberships__team"
    ):
        entries = {f"user:{person.get_username()}"}
        entries |= {f"group:{group.name}" for group in person.groups.all()}
        entries |= {f"role:{role}" for role in person.roles_in(service.team)}
        entries |= {
            f"team:{row.team.slug}:{row.role}" for row in person.memberships.all() if row.team
        }
        people[person.get_username()] = frozenset(entries)
    return people


def _repository_warnings(form: PipelineForm) -> Iterator[str]:
    """Two artifacts in one repository would take each other's tag."""
    for place, repository in form.repositories.items():
        if len(form.artifacts) > 1 and "{name}" not in repository:
            yield (
                f"Repository {place}: {len(form.artifacts)} artifacts would share {repository} "
                "and each other's tags; add {name} to its path."
            )
