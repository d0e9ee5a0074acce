"""One story for the pages' tests: 4.18.0 runs in staging and waits to replace 4.17.2 in production."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from promotion.actions.advance import advance
from promotion.actions.approve import Choice, decide
from promotion.actions.promote import Request, ask_for_promotion
from promotion.models import Approval, Environment, Promotion, Release, Role, Service, User
from tests import factories

NOW = factories.NOW
HOUR = timedelta(hours=1)
PIPELINE = """
service: {service}
stages:
  - {{name: staging, environment: staging, steps: [{{pause: {{for: 1m}}}}]}}
  - name: production
    environment: production
    after: [staging]
    ask:
      - {{name: reason, required: true}}
      - {{name: ticket, pattern: "^CHG-[0-9]+$"}}
    approvals:
      - {{name: release managers, count: 2, from: ["role:release manager"]}}
    steps: [{{pause: {{for: 10m}}}}]
"""


@dataclass(slots=True)
class Story:
    """The people and things of the story."""

    service: Service
    staging: Environment
    production: Environment
    old: Release
    new: Release
    ines: User
    priya: User
    daniel: User
    tomasz: User
    viewer: User

    def ask(self, at: datetime = NOW - 2 * HOUR, **fields: Any) -> Promotion:
        """Tomasz asks for 4.18.0 in production, and its gates are asked."""
        given = {"reason": "Pallet-level tracking", **fields}
        wish = Request(self.new, self.production, person=self.tomasz, fields=given)
        promotion = ask_for_promotion(wish, at=at).promotion
        self.look(promotion, at)
        return promotion

    def look(self, promotion: Promotion, at: datetime = NOW) -> None:
        """Has the promotion do what it is ready for."""
        advance(promotion.pk, at=at)
        promotion.refresh_from_db()

    def approve(self, promotion: Promotion, *people: User, at: datetime = NOW - HOUR) -> None:
        """Each of them approves what there is now."""
        for person in people:
            choice = Choice(Approval.Decision.APPROVE, promotion.content_hash, "Looks right.")
            decide(promotion.pk, choice, person=person, at=at)
        self.look(promotion, at)

    def start(self, promotion: Promotion, at: datetime = NOW - HOUR) -> None:
        """Two people approve, and it runs."""
        self.approve(promotion, self.ines, self.priya, at=at)


def make_person(username: str, first: str, last: str, role: str) -> User:
    """A person with a whole name."""
    return factories.make_person(username, role, first_name=first, last_name=last)


def tell_story(slug: str = "shipment-api", text: str = PIPELINE) -> Story:
    """Everything in its place; nothing is asked for yet."""
    service = factories.make_service(slug)
    factories.make_pipeline(service, text, at=NOW - 900 * HOUR)
    first = factories.make_commit(service, "Rate table")
    second = factories.make_commit(service, "Emit pallet events", parent=first)
    third = factories.make_commit(service, "Raise a timeout", parent=second, author="luca")
    old = factories.make_release(service, "4.17.2", at=NOW - 300 * HOUR, commit=first.sha)
    new = factories.make_release(service, "4.18.0", at=NOW - 50 * HOUR, commit=third.sha)
    staging = factories.make_environment("staging")
    production = factories.make_environment("production")
    factories.make_deployment(old, production, at=NOW - 290 * HOUR)
    factories.make_deployment(new, staging, at=NOW - 26 * HOUR)
    return Story(
        service=service,
        staging=staging,
        production=production,
        old=old,
        new=new,
        ines=make_person("ines", "Ines", "Halvorsen", Role.RELEASE_MANAGER),
        priya=make_person("priya", "Priya", "Raman", Role.RELEASE_MANAGER),
        daniel=make_person("daniel", "Daniel", "Okafor", Role.RELEASE_MANAGER),
        tomasz=make_person("tomasz", "Tomasz", "Wrona", Role.MEMBER),
        viewer=make_person("vera", "Vera", "Berg", Role.VIEWER),
    )
