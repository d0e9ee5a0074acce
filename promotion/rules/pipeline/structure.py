"""What must hold between the parts of a pipeline: names, order of stages, templates."""

from collections.abc import Iterator, Sequence

from promotion.rules.templates import TEMPLATE_NAMES, templates_in

from .fields import Problems
from .forms import GateForm, PipelineForm, StageForm, StepForm
from .problems import Problem, suggest

# An expression has braces of its own.
KINDS_WITHOUT_TEMPLATES = frozenset({"expression"})
REPOSITORY_TEMPLATES = ("service", "name", "environment", "stage")


def find_structure_problems(form: PipelineForm, problems: Problems) -> None:
    """Add what is wrong between parts that were each read well."""
    for key, sentence in (
        *_repeated(form),
        *_upstream_problems(form),
        *_cycles(form),
        *_template_problems(form),
        *_rollback_problems(form),
    ):
        problems.found.append(Problem(form.line_of(key), key, sentence))


def _repeated(form: PipelineForm) -> Iterator[tuple[str, str]]:
    """Names and environments that two stages share."""
    for what in ("name", "environment"):
        first: dict[str, int] = {}
        for at, stage in enumerate(form.stages):
            word = getattr(stage, what)
            if word and first.setdefault(word, at) != at:
                other = f"stages[{first[word]}]"
                yield f"stages[{at}].{what}", f'"{word}" is already the {what} of {other}.'


def _upstream_problems(form: PipelineForm) -> Iterator[tuple[str, str]]:
    names = [stage.name for stage in form.stages if stage.name]
    for at, stage in enumerate(form.stages):
        for place, name in enumerate(stage.after):
            key = f"stages[{at}].after[{place}]"
            if name == stage.name:
                yield key, f'Stage "{name}" cannot come after itself.'
            elif name not in names:
                others = [other for other in names if other != stage.name]
                yield key, f'There is no stage "{name}"{suggest(name, others)}'


def _cycles(form: PipelineForm) -> Iterator[tuple[str, str]]:
    """Each stage that comes, over others, after itself."""
    upstream = {stage.name: set(stage.after) - {stage.name} for stage in form.stages}
    for at, stage in enumerate(form.stages):
        reached: set[str] = set()
        ahead = list(upstream[stage.name])
        while ahead:
            name = ahead.pop()
            if name not in reached:
                reached.add(name)
                ahead.extend(upstream.get(name, ()))
        if stage.name in reached:
            around = ", ".join(
                sorted(other for other in reached if stage.name in _reach(upstream, other))
            )
            yield f"stages[{at}].after", f"The stages {around} come after each other in a circle."


def _reach(upstream: dict[str, set[str]], name: str) -> set[str]:
    """Every stage before this one."""
    reached: set[str] = set()
    ahead = [name]
    while ahead:
        for other in upstream.get(ahead.pop(), ()):
            if other not in reached:
                reached.add(other)
                ahead.append(other)
    return reached


def _template_problems(form: PipelineForm) -> Iterator[tuple[str, str]]:
    for place, repository in form.repositories.items():
        for name in templates_in(repository):
            if name not in REPOSITORY_TEMPLATES:
                known = suggest(name, REPOSITORY_TEMPLATES)
                yield f"repositories.{place}", f"{{{name}}} is not known in a repository{known}"
    for at, stage in enumerate(form.stages):
        for key, value in _texts_of(stage, f"stages[{at}]"):
            for name in sorted(set(templates_in(value))):
                sentence = _template_problem(name, form)
                if sentence:
                    yield key, sentence


def _texts_of(stage: StageForm, key: str) -> Iterator[tuple[str, object]]:
    """Each setting of a gate or step that may hold templates, with its key."""
    lists: tuple[tuple[str, Sequence[GateForm | StepForm]], ...] = (
        ("gates", stage.gates),
        ("steps", stage.steps),
        ("rollback.gates", stage.rollback_gates),
    )
    for name, parts in lists:
        for at, part in enumerate(parts):
            if part.kind not in KINDS_WITHOUT_TEMPLATES:
                for setting, value in part.settings.items():
                    yield f"{key}.{name}[{at}].{setting}", value


def _template_problem(name: str, form: PipelineForm) -> str:
    """Why a template cannot be filled in, empty where it can."""
    word, colon, artifact = name.partition(":")
    if word not in TEMPLATE_NAMES or (colon and word != "digest"):
        known = suggest(word, TEMPLATE_NAMES)
        return f"{{{name}}} is not known{known} Write {{{{{name}}}}} for the bare word."
    if colon and artifact not in form.artifacts:
        return f"{{{name}}} names no artifact of this pipeline{suggest(artifact, form.artifacts)}"
    is_own = name in ("digest", "name")
    if is_own and len(form.artifacts) > 1 and form.service not in form.artifacts:
        forms = " or ".join(f"{{digest:{artifact}}}" for artifact in form.artifacts)
        return f"{{{name}}} could be that of {len(form.artifacts)} artifacts; write {forms}."
    return ""


def _rollback_problems(form: PipelineForm) -> Iterator[tuple[str, str]]:
    """A rollback held by what only the way forward needs would never start."""
    for at, stage in enumerate(form.stages):
        for place, gate in enumerate(stage.rollback_gates):
            if gate.kind in ("order", "soak"):
                key = f"stages[{at}].rollback.gates[{place}]"
                yield (
                    key,
                    f"The gate {gate.kind} asks for the way forward and cannot hold a rollback.",
                )
