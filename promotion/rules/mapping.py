"""Which service and environment of the catalog a fact speaks of: rules first, then what is sensible.

Of the rules the first that matches decides; what it leaves open is decided by the next matching
rule that says it, and after the last rule by the names themselves. Where several services or
environments fit equally, none is chosen, and the reason says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NAMED_BY_IMAGE = frozenset({"artifact", "observation", "deployment"})
NAMED_BY_JOB = frozenset({"build", "deployment"})
NEEDS_ENVIRONMENT = frozenset({"deployment", "observation"})
# What people call the tier when they do not say the environment's own name.
ALIASES = {
    "prod": "production",
    "prd": "production",
    "production": "production",
    "live": "production",
    "stage": "staging",
    "stg": "staging",
    "staging": "staging",
    "test": "testing",
    "testing": "testing",
    "qa": "testing",
    "dev": "development",
    "development": "development",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a fact says that may tell its place; empty where it is silent."""

    kind: str
    sender: int | None = None
    service: str = ""
    repository: str = ""
    job: str = ""
    image: str = ""
    environment: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service of the catalog as the choice sees it; `artifacts` in any case, never empty."""

    key: int
    slug: str
    repository: str = ""
    artifacts: tuple[str, ...] = ()
    has_own_artifacts: bool = False
    build_name: str = ""


@dataclass(frozen=True, slots=True)
class KnownEnvironment:
    """An environment of the catalog as the choice sees it."""

    key: int
    slug: str
    name: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns and what matches them leads to; an empty pattern is matched by anything."""

    key: int
    priority: int = 100
    sender: int | None = None
    repository: str = ""
    job: str = ""
    image: str = ""
    environment: str = ""
    to_service: int | None = None
    to_environment: int | None = None
    is_deployment: bool = False
    is_ignored: bool = False

    def is_matching(self, subject: Subject) -> bool:
        """Whether every pattern fits; one that declares deployments speaks of builds alone."""
        if self.is_deployment and subject.kind != "build":
            return False
        return (self.sender is None or self.sender == subject.sender) and all(
            fits(pattern, value)
            for pattern, value in (
                (self.repository, subject.repository),
                (self.job, subject.job),
                (self.image, subject.image),
                (self.environment, subject.environment),
            )
        )


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything, or at least everything that may fit the subject; both give the same answer."""

    services: Sequence[KnownService] = ()
    environments: Sequence[KnownEnvironment] = ()
    rules: Sequence[Rule] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Keys of service and environment, None where none was found, and why so; the rules that decided."""

    service: int | None = None
    environment: int | None = None
    deploys_to: int | None = None
    is_ignored: bool = False
    rules: tuple[int, ...] = ()
    service_why: str = ""
    environment_why: str = ""


@dataclass(slots=True)
class _Ruled:
    """What the rules have decided so far."""

    service: int | None = None
    environment: int | None = None
    deploys_to: int | None = None
    is_ignored: bool = False
    rules: list[int] = field(default_factory=list)


def fits(pattern: str, value: str) -> bool:
    """Whether the whole value fits, whatever the case; `*` stands for any text, also none and `/`.

    An empty pattern is fitted by anything; any other only by a value that is there.
    """
    if not pattern:
        return True
    if not value:
        return False
    text = value.casefold()
    first, *rest = pattern.casefold().split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    # Leftmost places suffice, so that no pattern can make this slow.
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last)


def find_place(subject: Subject, catalog: Catalog) -> Place:
    """Where the subject belongs.

    Where a rule ignores it, nothing else of the answer is set.
    """
    ruled = _ask_rules(subject, catalog.rules)
    if ruled.is_ignored:
        return Place(is_ignored=True, rules=tuple(ruled.rules))
    service, service_why = ruled.service, "A rule says so."
    if service is None:
        found, service_why = choose_service(subject, catalog.services)
        service = found.key if found else None
    environment, environment_why = ruled.environment, "A rule says so."
    if environment is None:
        chosen, environment_why = choose_environment(subject, catalog.environments)
        environment = chosen.key if chosen else None
    return Place(
        service,
        environment,
        deploys_to=ruled.deploys_to if service is not None else None,
        rules=tuple(ruled.rules),
        service_why=service_why,
        environment_why=environment_why,
    )


def order_rules(rules: Iterable[Rule]) -> list[Rule]:
    """As they are asked: the smallest priority first, the older first among equals."""
    return sorted(rules, key=lambda one: (one.priority, one.key))


def _ask_rules(subject: Subject, rules: Sequence[Rule]) -> _Ruled:
    ruled = _Ruled()
    for rule in order_rules(rules):
        if not rule.is_matching(subject):
            continue
        if rule.is_ignored:
            # What an earlier rule has placed is not ignored by a later one.
            if not ruled.rules:
                ruled.is_ignored, ruled.rules = True, [rule.key]
            break
        decides = False
        if ruled.service is None and rule.to_service is not None:
            ruled.service, decides = rule.to_service, True
        if rule.is_deployment:
            if ruled.deploys_to is None:
                ruled.deploys_to, decides = rule.to_environment, True
        elif ruled.environment is None and rule.to_environment is not None:
            ruled.environment, decides = rule.to_environment, True
        if decides:
            ruled.rules.append(rule.key)
    return ruled


def choose_service(
    subject: Subject, services: Sequence[KnownService]
) -> tuple[KnownService | None, str]:
    """By the name said, by the image in its repository or anywhere, by the repository; and why so."""
    named = [one for one in services if _is_same(one.slug, subject.service)]
    if named:
        return named[0], f"It names the service {named[0].slug}."
    of_repository = [one for one in services if _is_same(one.repository, subject.repository)]
    short = subject.image.rpartition("/")[2].lower()
    if short:
        among = of_repository or _by_image(short, services)
        fitting = [one for one in among if short in {name.lower() for name in one.artifacts}]
        if len(fitting) == 1:
            return fitting[0], f"Its image is called {short}."
    if len(of_repository) == 1:
        return of_repository[0], f"Its repository is {of_repository[0].repository}."
    by_job = [
        one
        for one in of_repository
        if _is_same(one.build_name, subject.job) or _is_same(one.slug, subject.job)
    ]
    if len(by_job) == 1:
        return by_job[0], f"Its job is called {subject.job}."
    if of_repository:
        several = ", ".join(sorted(one.slug for one in of_repository)[:5])
        return None, (
            f"{len(of_repository)} services come from {subject.repository} ({several}), and nothing"
            " it says tells them apart."
        )
    what = subject.service or subject.repository or subject.image or "nothing"
    return None, f"It speaks of {what}, which is no service of the catalog."


def _by_image(short: str, services: Sequence[KnownService]) -> list[KnownService]:
    """The service of that name, else those whose release needs an artifact of that name."""
    named = [one for one in services if one.slug.lower() == short]
    return named or [one for one in services if one.has_own_artifacts]


def choose_environment(
    subject: Subject, environments: Sequence[KnownEnvironment]
) -> tuple[KnownEnvironment | None, str]:
    """By its short or full name, by the tier said, by a usual name of a tier; and why so."""
    said = subject.environment
    if not said:
        return None, "It names no environment."
    by_slug = [one for one in environments if _is_same(one.slug, said)]
    by_name = [one for one in environments if _is_same(one.name, said)]
    for named in (by_slug, by_name):
        if len(named) == 1:
            return named[0], f"It names {said}."
    unknown = f"It names {said}, which is no environment of the catalog."
    # GitLab gives every review app the tier of development; none of them is our one.
    is_one_of_many = "/" in said and subject.tier.lower() not in {"staging", "production"}
    tier = ALIASES.get(said.strip().lower()) or ("" if is_one_of_many else subject.tier.lower())
    of_tier = [one for one in environments if tier and one.tier == tier]
    if len(of_tier) == 1:
        return of_tier[0], f"It names {said}, and {of_tier[0].slug} is the only one of {tier}."
    if len(of_tier) > 1:
        return None, f"{unknown} {len(of_tier)} are of the tier {tier}, so none was chosen."
    return None, unknown


def _is_same(known: str, said: str) -> bool:
    return bool(known) and bool(said) and known.lower() == said.lower()
