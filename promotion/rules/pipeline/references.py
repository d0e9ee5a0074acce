"""Problems that only show beside what else is known: gate and step kinds, environments, people."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from promotion.rules.templates import templates_in

from .forms import ApprovalForm, GateForm, PipelineForm, StageForm, StepForm
from .problems import Problem, suggest

SettingsChecker = Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]

# Settings that name a connection; those of other kinds name theirs under `connection`.
CONNECTION_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "git-commit": ("repository", "connection"),
    "notify": ("to",),
}


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What exists that a pipeline may name."""

    services: frozenset[str] = frozenset()
    # The targets of each environment, in their order.
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    connections: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()


def settings_problems(
    form: PipelineForm, gates: Mapping[str, SettingsChecker], steps: Mapping[str, SettingsChecker]
) -> tuple[Problem, ...]:
    """What the checker of each gate and step kind says of its settings, and kinds nobody knows."""
    found: list[Problem] = []
    for key, part in _parts(form):
        what, known = ("gate", gates) if isinstance(part, GateForm) else ("step", steps)
        checker = known.get(part.kind)
        if checker is None:
            sentence = f'There is no {what} "{part.kind}"{suggest(part.kind, known)}'
            found.append(Problem(part.line, key, sentence))
            continue
        for name, sentence in checker(part.settings):
            whole = f"{key}.{name}" if name else key
            found.append(Problem(form.line_of(whole) or part.line, whole, sentence))
    return tuple(sorted({*found, *_when_problems(form, gates.get("expression"))}))


def _when_problems(form: PipelineForm, checker: SettingsChecker | None) -> Iterator[Problem]:
    """What the expression gate says of each rule's `when`, which is an expression, too."""
    for key, rule in _rules(form):
        if checker is not None and rule.when is not None:
            for _, sentence in checker({"if": rule.when}):
                yield Problem(form.line_of(f"{key}.when"), f"{key}.when", sentence)


def _rules(form: PipelineForm) -> Iterator[tuple[str, ApprovalForm]]:
    """Every approval rule with its key."""
    for at, stage in enumerate(form.stages):
        for place, rule in enumerate(stage.approvals):
            yield f"stages[{at}].approvals[{place}]", rule
        for place, rule in enumerate(stage.rollback_approvals):
            yield f"stages[{at}].rollback.approvals[{place}]", rule


def reference_problems(form: PipelineForm, known: KnownNames) -> tuple[Problem, ...]:
    """What is named and not known: service, environments, targets, connections, people."""
    pairs = (
        *_service_problems(form, known),
        *_repository_problems(form, known),
        *(
            pair
            for at, stage in enumerate(form.stages)
            for pair in _stage_problems(stage, f"stages[{at}]", known)
        ),
        *_setting_problems(form, known),
        *(pair for key, rule in _rules(form) for pair in _people_problems(rule, key, known)),
    )
    return tuple(sorted(Problem(form.line_of(key), key, sentence) for key, sentence in pairs))


def _parts(form: PipelineForm) -> Iterator[tuple[str, GateForm | StepForm]]:
    """Every gate and step with its key."""
    for at, stage in enumerate(form.stages):
        key = f"stages[{at}]"
        for place, gate in enumerate(stage.gates):
            yield f"{key}.gates[{place}]", gate
        for place, step in enumerate(stage.steps):
            yield f"{key}.steps[{place}]", step
        written = f"{key}.rollback.gates" in form.lines or not form.lines
        for place, gate in enumerate(stage.rollback_gates if written else ()):
            yield f"{key}.rollback.gates[{place}]", gate


def _service_problems(form: PipelineForm, known: KnownNames) -> Iterator[tuple[str, str]]:
    if form.service not in known.services:
        yield (
            "service",
            f'There is no service "{form.service}"{suggest(form.service, known.services)}',
        )


def _repository_problems(form: PipelineForm, known: KnownNames) -> Iterator[tuple[str, str]]:
    for place, repository in form.repositories.items():
        connection = repository.partition("/")[0]
        if connection not in known.connections:
            end = suggest(connection, known.connections)
            yield f"repositories.{place}", f'There is no connection "{connection}"{end}'


def _setting_problems(form: PipelineForm, known: KnownNames) -> Iterator[tuple[str, str]]:
    """Connections that settings name, and places of copies that `repositories` does not have."""
    for key, part in _parts(form):
        for name in CONNECTION_SETTINGS.get(part.kind, ("connection",)):
            connection = part.settings.get(name)
            if not isinstance(connection, str) or any(templates_in(connection)):
                continue  # what templates stand for is known only when the step is planned
            if connection not in known.connections:
                end = suggest(connection, known.connections)
                yield f"{key}.{name}", f'There is no connection "{connection}"{end}'
        for name in ("from", "to") if part.kind == "oci-copy" else ():
            place = part.settings.get(name)
            if isinstance(place, str) and place not in form.repositories:
                end = suggest(place, form.repositories)
                yield f"{key}.{name}", f'"{place}" is not in repositories{end}'


def _stage_problems(stage: StageForm, key: str, known: KnownNames) -> Iterator[tuple[str, str]]:
    if stage.environment not in known.environments:
        end = suggest(stage.environment, known.environments)
        yield f"{key}.environment", f'There is no environment "{stage.environment}"{end}'
    else:
        yield from _target_problems(stage, key, known.environments[stage.environment])


def _target_problems(
    stage: StageForm, key: str, targets: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Waves that name no target of the environment or leave one out; {target} without targets."""
    named = {target for wave in stage.waves for target in wave.targets}
    for at, wave in enumerate(stage.waves):
        for place, target in enumerate(wave.targets):
            if target not in targets:
                where = f"{key}.rollout.waves[{at}].targets[{place}]"
                yield (
                    where,
                    f'{stage.environment} has no target "{target}"{suggest(target, targets)}',
                )
    if stage.waves:
        for target in targets:
            if target not in named:
                yield (
                    f"{key}.rollout.waves",
                    f'The target "{target}" of {stage.environment} is in no wave.',
                )
    elif not targets:
        for at, step in enumerate(stage.steps):
            if "target" in templates_in(step.settings):
                sentence = f"{{target}} stands for nothing: {stage.environment} has no targets."
                yield f"{key}.steps[{at}]", sentence


def _people_problems(rule: ApprovalForm, key: str, known: KnownNames) -> Iterator[tuple[str, str]]:
    people = {"group": known.groups, "team": known.teams, "user": known.users}
    entries = [(f"{key}.from[{at}]", entry) for at, entry in enumerate(rule.from_)]
    if rule.fallback is not None:
        entries.append((f"{key}.fallback", rule.fallback))
    for where, entry in entries:
        prefix, _, rest = entry.partition(":")
        name = rest.partition(":")[0] if prefix == "team" else rest
        if prefix in people and name not in people[prefix]:
            yield where, f'There is no {prefix} "{name}"{suggest(name, people[prefix])}'
