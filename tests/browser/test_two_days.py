"""A release manager's morning on a phone and an engineer's afternoon at a desk, in a real browser."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from promotion.actions.freeze import Scope, freeze
from promotion.actions.pin import pin_release
from promotion.models import Approval, Freeze, Pin, PipelineVersion, Promotion, Role
from promotion.rules.states import State
from promotion.tasks import sweep
from tests import factories
from tests.browser.test_approving import (  # noqa: F401  (fixtures are used by their names)
    _at_once,
    browser,
    open_page,
    press,
    story,
)
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]

FADED = """Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
    .map((one) => one.finished)).then(() => null)"""


@pytest.fixture(autouse=True)
def _loaded(transactional_db: None) -> None:
    """The first answer of a process loads every page; a browser's patience is not for that."""
    Client().get("/sign-in/")


class Walk:
    """A page on which every place one comes to is looked at: axe in light and dark, and its width."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.failures: list[str] = []
        page.on("console", lambda said: self._complain(said.text) if said.type == "error" else None)

    def _complain(self, text: str) -> None:
        self.failures.append(text)

    def look(self) -> None:
        """At what stands there now."""
        self.page.wait_for_load_state()
        where = self.page.url.partition("/")[2]
        for scheme in ("dark", "light"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            # Colours fade from one scheme into the other.
            self.page.evaluate(FADED)
            found = Axe().run(self.page).response["violations"]
            self.failures += [
                f"{where} {scheme}: {one['id']} {one['nodes'][0]['target']}"
                f" {one['nodes'][0]['failureSummary']}"
                for one in found
            ]
        if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            self._complain(f"{where} scrolls sideways")

    def end(self) -> None:
        """Nothing was wrong anywhere."""
        assert self.failures == []
        self.page.context.close()


def test_a_release_managers_morning_on_a_phone(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
) -> None:
    frozen = tell_story("rate-engine")
    freeze(
        Scope(service=frozen.service), person=story.priya, reason="Customs audit until noon.",
        at=NOW - 3 * HOUR, ends_at=NOW + 3 * HOUR,
    )  # fmt: skip
    held, ready = frozen.ask(), story.ask()
    for one, promotion in ((frozen, held), (story, ready)):
        one.approve(promotion, story.priya)
    page = open_page(browser, live_server, story.ines, "/inbox/", "phone")
    walk = Walk(page)
    # What can start now stands before what cannot.
    expect(page.locator(".worklist > li").first).to_contain_text("shipment-api")
    walk.look()

    page.goto(f"{live_server.url}/promotions/{held.pk}/")
    expect(page.locator("main")).to_contain_text(
        "Priya Raman froze rate-engine: Customs audit until noon."
    )
    walk.look()

    page.goto(f"{live_server.url}/inbox/")
    page.locator(".worklist > li").first.get_by_role("link").first.click()
    expect(page.locator("h1")).to_contain_text("shipment-api 4.18.0 to production")
    press(page, "Approve and start…")
    page.get_by_role("dialog").get_by_role("button", name="Approve and start").click()
    expect(page.locator(".page-head")).to_contain_text("Running, step 1 of 1")
    assert Approval.objects.filter(person=story.ines).count() == 1
    walk.look()

    press(page, "Stop…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Roll back to 4.17.2").check()
    walk.look()
    dialog.get_by_role("button", name="Stop promotion").click()
    expect(page.locator("#toasts")).to_contain_text("then the way back is asked for")
    sweep()
    ready.refresh_from_db()
    back = Promotion.objects.get(kind=Promotion.Kind.ROLLBACK)
    assert ready.state == State.CANCELLED
    assert (back.release, back.environment) == (story.old, story.production)
    page.goto(f"{live_server.url}/promotions/{back.pk}/")
    expect(page.locator("h1")).to_contain_text("4.17.2")
    walk.look()
    walk.end()


def test_an_engineers_afternoon_at_a_desk(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
) -> None:
    luca = factories.make_person("luca", Role.PLATFORM_ENGINEER, Role.RELEASE_MANAGER)
    waiting = story.ask()
    story.approve(waiting, story.priya)
    page = open_page(browser, live_server, luca, "/pipelines/shipment-api/", "desk")
    walk = Walk(page)
    walk.look()

    page.get_by_text("Check, try out and apply a text").click()
    text = page.get_by_role("textbox", name="YAML")
    written = text.input_value()
    text.fill(written.replace("    environment: production", "    environment: produktion"))
    page.get_by_role("button", name="Check").click()
    problem = page.get_by_role("link", name="Line 6")
    problem.click()
    line = page.locator("#line-6")
    expect(line).to_be_in_viewport()
    expect(line).to_contain_text("environment: produktion")
    expect(page.locator("#line-6 + em")).to_contain_text('did you mean "production"?')
    walk.look()

    page.get_by_role("textbox", name="YAML").fill(written.replace("count: 2", "count: 3"))
    page.get_by_role("button", name="Dry run").click()
    tried = page.locator("#dry-run")
    expect(tried).to_contain_text("approval rule release managers, count: 2 → 3.")
    expect(tried).to_contain_text(f"{waiting.number}, 4.18.0 to Production")
    expect(tried).to_contain_text("No longer counted: the approval of Priya Raman.")
    assert PipelineVersion.objects.count() == 1
    walk.look()

    page.get_by_label("Reason").fill("Three pairs of eyes before the peak days.")
    page.get_by_role("button", name="Apply new version").click()
    expect(page.locator("#toasts")).to_contain_text("Version 2 is in use.")
    expect(page.locator("main")).to_contain_text("Three pairs of eyes before the peak days.")
    walk.look()
    page.get_by_role("link", name="What version 2 changed").click()
    expect(page.locator("main")).to_contain_text("count: 2 → 3.")
    walk.look()
    page.goto(f"{live_server.url}/promotions/{waiting.pk}/")
    expect(page.locator("#approval")).to_contain_text("Priya Raman's approval no longer counts.")

    page.goto(f"{live_server.url}/environments/production/")
    page.get_by_text("Freeze now", exact=True).first.click()
    page.get_by_label("Reason").fill("Peak days")
    walk.look()
    page.get_by_role("button", name="Freeze now").click()
    expect(page.locator("#toasts")).to_contain_text("is frozen.")
    expect(page.locator(".calendar [aria-current]")).to_contain_text("frozen")
    walk.look()
    page.get_by_role("button", name="Lift the freeze of Production").click()
    page.get_by_role("dialog").get_by_role("button", name="Lift freeze").click()
    expect(page.locator("#toasts")).to_contain_text("The freeze of Production is lifted.")
    expect(page.locator(".calendar [aria-current]")).not_to_contain_text("frozen,")
    assert Freeze.objects.get().lifted_by == luca
    walk.end()


def test_a_release_is_pinned_and_unpinned_and_an_earlier_pipeline_applied_again(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
) -> None:
    page = open_page(browser, live_server, story.ines, "/releases/shipment-api/4.17.2/", "phone")
    walk = Walk(page)
    page.get_by_role("button", name="Pin…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Pin release").click()
    assert not Pin.objects.exists()
    dialog.get_by_label("Reason").fill("Customs audit")
    walk.look()
    dialog.get_by_role("button", name="Pin release").click()
    expect(page.locator("main")).to_contain_text("It is pinned in Production")
    walk.look()
    page.goto(f"{live_server.url}/environments/production/")
    walk.look()
    page.get_by_role("button", name="Unpin shipment-api 4.17.2").click()
    expect(page.locator("#toasts")).to_contain_text("is no longer pinned in Production")
    assert Pin.objects.get().ended_by == story.ines

    factories.make_pipeline(story.service)
    luca = factories.make_person("luca", Role.PLATFORM_ENGINEER)
    walk.end()
    page = open_page(browser, live_server, luca, "/pipelines/shipment-api/?version=1", "phone")
    page.get_by_role("button", name="Apply version 1 again…").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("The new one held too little.")
    page.get_by_role("dialog").get_by_role("button", name="Apply version 1").click()
    expect(page.locator("#toasts")).to_contain_text("Version 3 is in use.")
    page.context.close()


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_request_form_and_drift_pass_axe_and_fit_their_width(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
    size: str,
) -> None:
    pin_release(story.old.pk, story.production, person=story.ines, reason="Audit.", at=NOW)
    factories.make_deployment(story.old, story.production, at=NOW - 5 * HOUR, target="eu-1")
    factories.make_environment("production", targets=("eu-1",))
    factories.make_observation(
        story.service, story.production, digest=story.new.digests[0], at=NOW, target="eu-1"
    )
    asking = f"/promotions/new/?release={story.new.pk}&environment=production"
    page = open_page(browser, live_server, story.ines, asking, size)
    walk = Walk(page)
    expect(page.locator("main")).to_contain_text("Who would have to approve")
    walk.look()
    for path in ("/environments/production/", "/environments/", "/pipelines/", "/releases/"):
        page.goto(f"{live_server.url}{path}")
        walk.look()
    walk.end()
