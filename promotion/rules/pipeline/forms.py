"""A pipeline as plain data: what its YAML says, with every default filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from promotion.exceptions import InputError
from promotion.rules.durations import parse_duration
from promotion.rules.windows import Window

DEFAULT_VERSION_PATTERN = r"^v?(\d+\.\d+\.\d+\S*)$"
DEFAULT_RETRIES = 3
DEFAULT_EXCLUDE = ("requester", "authors")
DEFAULT_APPROVAL_EXPIRES = timedelta(days=7)
DEFAULT_STAGE_EXPIRES = timedelta(days=14)

Availability = Literal["any", "all"]
Mode = Literal["enforce", "observe"]
Queue = Literal["supersede", "fifo"]
AskKind = Literal["text", "choice", "link"]
OnFailure = Literal["stop", "rollback"]
Strategy = Literal["all-at-once", "waves", "canary", "blue-green"]


@dataclass(frozen=True, slots=True)
class GateForm:
    """A gate of a stage: its kind and what it is told."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    advisory: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step of a stage: its kind, what it is told, how long and how often it may try."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    timeout: timedelta | None = None
    retries: int = DEFAULT_RETRIES
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ApprovalForm:
    """An approval rule; entries of `from_` are role:R, group:G, team:T:R or user:U."""

    name: str
    count: int
    from_: tuple[str, ...]
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    expires: timedelta = DEFAULT_APPROVAL_EXPIRES
    fallback: str | None = None
    when: str | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class WindowsForm:
    """When promotions may start, and when they may not; deny beats allow."""

    allow: tuple[Window, ...] = ()
    deny: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class AskForm:
    """A field that a request for this stage is asked for."""

    name: str
    required: bool = False
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    kind: AskKind = "text"


@dataclass(frozen=True, slots=True)
class WaveForm:
    """Targets that are deployed together, and the wait after them: a time, or until a person goes on."""

    targets: tuple[str, ...]
    pause: timedelta | None = None
    waits_for_person: bool = False


@dataclass(frozen=True, slots=True)
class StageForm:
    """One stage: the way into one environment."""

    name: str
    environment: str
    after: tuple[str, ...] = ()
    availability: Availability = "all"
    mode: Mode = "enforce"
    queue: Queue = "supersede"
    expires: timedelta = DEFAULT_STAGE_EXPIRES
    require_build: bool = False
    auto: bool = False
    distinct: bool = False
    ask: tuple[AskForm, ...] = ()
    gates: tuple[GateForm, ...] = ()
    approvals: tuple[ApprovalForm, ...] = ()
    windows: WindowsForm = WindowsForm()
    strategy: Strategy = "all-at-once"
    waves: tuple[WaveForm, ...] = ()
    steps: tuple[StepForm, ...] = ()
    on_failure: OnFailure = "stop"
    rollback_gates: tuple[GateForm, ...] = ()
    rollback_approvals: tuple[ApprovalForm, ...] = ()
    freezes_apply_to_rollback: bool = False
    freezes_apply_to_break_glass: bool = False
    review_within: timedelta | None = None
    """How soon after the glass was broken it must be reviewed; None = as the installation says."""
    reverify_every: timedelta | None = None
    """How often what runs there is verified again; None = only when somebody asks."""
    line: int = field(default=0, compare=False)

    @property
    def soak(self) -> timedelta:
        """The longest time a required `soak` gate asks for, else zero; InputError if unreadable."""
        asked = (
            parse_duration(str(gate.settings["for"]))
            for gate in self.gates
            if gate.kind == "soak" and not gate.advisory and "for" in gate.settings
        )
        return max(asked, default=timedelta(0))

    @property
    def verifies(self) -> bool:
        """True where a step of this stage verifies the deployment."""
        return any(step.kind.startswith("verify-") for step in self.steps)


@dataclass(frozen=True, slots=True)
class PipelineForm:
    """The whole pipeline of a service."""

    service: str
    version_pattern: str
    artifacts: tuple[str, ...]
    repositories: Mapping[str, str]
    stages: tuple[StageForm, ...]
    # Where each dotted key was written, so that later checks can name the line.
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def stage(self, name: str) -> StageForm:
        """The stage of that name; InputError if there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        names = ", ".join(stage.name for stage in self.stages)
        raise InputError(f"The pipeline of {self.service} has no stage {name}; it has {names}.")

    def stage_of(self, environment: str) -> StageForm | None:
        """The stage that leads into that environment, None if there is none."""
        return next((stage for stage in self.stages if stage.environment == environment), None)

    def upstream_of(self, stage: StageForm) -> tuple[StageForm, ...]:
        """The stages a release comes from, in the order `after` names them."""
        named = {other.name: other for other in self.stages}
        return tuple(named[name] for name in stage.after if name in named)

    def downstream_of(self, stage: StageForm) -> tuple[StageForm, ...]:
        """The stages that come directly after this one, in the order written."""
        return tuple(other for other in self.stages if stage.name in other.after)

    @property
    def first_stages(self) -> tuple[StageForm, ...]:
        """The stages without an upstream, where a release enters."""
        return tuple(stage for stage in self.stages if not stage.after)

    def line_of(self, key: str) -> int:
        """The line of a dotted key, or of the nearest key around it; 0 without any."""
        return next((self.lines[near] for near in keys_around(key) if near in self.lines), 0)


def keys_around(key: str) -> Iterator[str]:
    """The key itself, then each shorter one that encloses it, the whole document (empty) last."""
    while key:
        yield key
        cut = max(key.rfind("."), key.rfind("["))
        key = key[: max(cut, 0)]
    yield ""
