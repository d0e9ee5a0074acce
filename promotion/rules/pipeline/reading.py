"""Reads a pipeline: YAML or its stored normal form → PipelineForm, or every problem at once."""

from collections.abc import Mapping
from typing import Any

from .fields import NAME, NAME_RULE, Fields, Problems, describe
from .forms import DEFAULT_VERSION_PATTERN, PipelineForm
from .parts import check_pattern
from .problems import PipelineError
from .stages import read_stage
from .structure import find_structure_problems
from .tree import Place, place_plain, read_tree

PIPELINE_KEYS = ("service", "version", "artifacts", "repositories", "stages")
MOST_STAGES = 50


def read_pipeline(text: str) -> PipelineForm:
    """The pipeline a YAML text says; PipelineError with all problems, each with line and key."""
    return _read(read_tree(text))


def read_document(document: Mapping[str, Any]) -> PipelineForm:
    """The pipeline a stored normal form says (see pipeline_document); PipelineError as above."""
    return _read(place_plain(document))


def _read(place: Place) -> PipelineForm:
    problems = Problems()
    problems.note_lines(place)
    fields = Fields(place, problems, "a pipeline", PIPELINE_KEYS)
    if not isinstance(place.value, dict):
        raise PipelineError(problems.found)
    service = fields.name("service")
    stages = fields.items("stages")
    if not stages and not (
        fields.has("stages") and not isinstance(fields.entries["stages"].value, tuple)
    ):
        fields.problem("stages", "A pipeline needs stages.")
    if len(stages) > MOST_STAGES:
        fields.problem("stages", f"A pipeline has at most {MOST_STAGES} stages.")
    artifacts = fields.names("artifacts", (service,) if service else ())
    if fields.has("artifacts") and fields.entries["artifacts"].value == ():
        fields.problem("artifacts", "A release needs an artifact; leave artifacts out or name one.")
    form = PipelineForm(
        service=service,
        version_pattern=_read_version(fields),
        artifacts=artifacts,
        repositories=_read_repositories(fields),
        stages=tuple(read_stage(stage, problems) for stage in stages[:MOST_STAGES]),
        lines=problems.lines,
    )
    find_structure_problems(form, problems)
    if problems.found:
        raise PipelineError(problems.found)
    return form


def _read_version(fields: Fields) -> str:
    """The pattern of `tag ~ REGEX`: one group, the version."""
    written = fields.optional_text("version")
    if written is None:
        return DEFAULT_VERSION_PATTERN
    subject, tilde, rest = written.partition("~")
    pattern = rest.strip()
    if subject.strip() != "tag" or not tilde or not pattern:
        fields.problem("version", 'version is written as "tag ~ PATTERN".')
        return DEFAULT_VERSION_PATTERN
    compiled = check_pattern(pattern, "version", fields)
    if compiled is not None and compiled.groups != 1:
        sentence = f"The pattern needs exactly one group, the version; it has {compiled.groups}."
        fields.problem("version", sentence)
    return pattern


def _read_repositories(fields: Fields) -> dict[str, str]:
    """The repository ("connection/path") of each place."""
    if not fields.has("repositories"):
        return {}
    places = Fields(fields.entries["repositories"], fields.problems, "repositories")
    read: dict[str, str] = {}
    for name, entry in places.entries.items():
        if not NAME.fullmatch(name):
            places.problem(name, f'"{name}" is no name: {NAME_RULE}.')
        elif entry.value is None:
            places.problem(name, f"This must be text, not {describe(entry)}.")
        repository = places.text(name, "")
        connection, slash, path = repository.partition("/")
        if repository and not (NAME.fullmatch(connection) and slash and path.strip("/")):
            places.problem(name, f'"{repository}" is no repository; write connection/path.')
        read[name] = repository
    return read
