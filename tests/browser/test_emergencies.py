"""Emergencies, failures, locks and several approvals in a real browser, at a desk and on a phone."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import Browser, expect

from promotion.actions.break_glass import Emergency, break_glass
from promotion.actions.freeze import Scope, freeze
from promotion.actions.lock import make_lock
from promotion.actions.review import review_break_glass
from promotion.actions.tell_cause import Told, tell_cause
from promotion.models import Approval, BreakGlass, Lock, User
from promotion.rules.states import State
from tests import factories
from tests.browser.test_approving import (  # noqa: F401  (fixtures are used by their names)
    SIZES,
    _at_once,
    browser,
    open_page,
    press,
    story,
)
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]
INCIDENT = "https://incidents.example/77"


def make_breaker(story: Story) -> User:  # noqa: F811
    person = factories.make_person("sven", "member", team=story.service.team)
    person.user_permissions.add(Permission.objects.get(codename="break_glass"))
    return person


@pytest.mark.parametrize("size", SIZES)
def test_the_glass_is_broken_in_a_dialog_and_reviewed_on_the_page(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
    size: str,
) -> None:
    promotion = story.ask()
    path = f"/promotions/{promotion.pk}/"
    page = open_page(browser, live_server, make_breaker(story), path, size)
    press(page, "Break glass…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Break the glass").click()
    assert not BreakGlass.objects.exists()
    dialog.get_by_label("Link to the incident").fill(INCIDENT)
    dialog.get_by_label("Reason").fill("Nothing is shipped.")
    dialog.get_by_role("button", name="Break the glass").click()
    expect(page.locator(".page-head")).to_contain_text("Glass broken")
    expect(page.locator("#review")).to_contain_text("somebody else reviews it")
    page.context.close()
    page = open_page(browser, live_server, story.ines, path, size)
    page.get_by_label("Outcome").select_option("justified")
    page.get_by_label("What you found").fill("It was right.")
    page.get_by_role("button", name="Record the review").click()
    expect(page.locator("#review")).to_contain_text("Justified, says Ines Halvorsen")
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_stop_is_not_sent_before_what_follows_is_chosen(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
    size: str,
) -> None:
    promotion = story.ask()
    story.start(promotion)
    page = open_page(browser, live_server, story.ines, f"/promotions/{promotion.pk}/", size)
    press(page, "Stop…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Stop promotion").click()
    promotion.refresh_from_db()
    assert promotion.stop_requested_at is None
    dialog.get_by_label("Leave it as it is").check()
    dialog.get_by_role("button", name="Stop promotion").click()
    expect(page.locator("#toasts")).to_contain_text("left as it is")
    page.context.close()


def test_several_are_chosen_shown_and_approved(
    browser: Browser,  # noqa: F811
    live_server: Any,
) -> None:
    stories = [tell_story("shipment-api"), tell_story("rate-engine")]
    for one in stories:
        for number in range(6):
            factories.make_deployment(one.old, one.production, at=NOW - (280 + number) * HOUR)
        one.ask()
    page = open_page(browser, live_server, stories[0].ines, "/inbox/", "desk")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Approve chosen…").click()
    expect(page.locator("h1")).to_contain_text("Approve 2 promotions?")
    assert not Approval.objects.exists()
    page.get_by_role("button", name="Approve 2", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("2 approvals recorded")
    assert Approval.objects.count() == 2
    page.context.close()


def test_an_environment_is_locked_and_released(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
) -> None:
    page = open_page(browser, live_server, story.ines, "/environments/", "phone")
    page.get_by_text("Lock now", exact=True).first.click()
    form = page.locator("form[action='/locks/']")
    form.get_by_label("Environment").select_option("production")
    form.get_by_label("Reason").fill("Moving the database")
    form.get_by_role("button", name="Lock now").click()
    expect(page.locator("#toasts")).to_contain_text("Production is locked.")
    page.wait_for_load_state()
    page.get_by_role("button", name="Release the lock of Production").click()
    page.get_by_role("dialog").get_by_role("button", name="Release lock").click()
    expect(page.locator("#toasts")).to_contain_text("The lock of Production is released.")
    assert Lock.objects.get().released_by == story.ines
    page.context.close()


def tell_everything(story: Story) -> list[str]:  # noqa: F811
    """Pages with a broken glass owed and one reviewed, a failure told, one untold, a lock, a freeze."""
    sven = make_breaker(story)
    reviewed, other, told, untold = (
        tell_story(slug) for slug in ("ledger", "rate-engine", "billing", "labels")
    )
    pages = []
    for one in (story, reviewed):
        promotion = one.ask()
        emergency = Emergency(promotion.content_hash, "Nothing is shipped.", INCIDENT)
        glass = break_glass(promotion.pk, emergency, person=sven, at=NOW - 100 * HOUR)
        one.look(promotion)
        pages.append(f"/promotions/{promotion.pk}/")
    review_break_glass(
        glass.pk, person=story.ines, outcome="avoidable", words="A flag would have done.", at=NOW
    )
    for one in (told, untold):
        failed = factories.make_promotion(
            one.new, one.production, state=State.FAILED, at=NOW - 3 * HOUR,
            started_at=NOW - 3 * HOUR, ended_at=NOW - 2 * HOUR, reason="3 of 10 checks were good.",
        )  # fmt: skip
        pages.append(f"/promotions/{failed.pk}/")
        if one is told:
            known = Told("data", "Locked a table.", "Try it on a copy.", story.ines, NOW.date())
            tell_cause(failed.pk, known, person=story.tomasz, at=NOW)
    waiting = other.ask()
    freeze(Scope(service=other.service), person=story.ines, reason="Audit", at=NOW)
    make_lock(story.production, None, person=story.ines, reason="Moving house", at=NOW)
    lists = ["/inbox/", "/inbox/?view=after", "/reviews/", "/reviews/?view=done", "/environments/"]
    return [*pages, f"/promotions/{waiting.pk}/", *lists, "/promotions/", "/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_pages_pass_axe_and_fit_their_width(
    browser: Browser,  # noqa: F811
    live_server: Any,
    story: Story,  # noqa: F811
    size: str,
    scheme: str,
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    addresses = tell_everything(story)
    page = open_page(browser, live_server, story.ines, "/", size, scheme)
    failures: list[str] = []
    page.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
    for address in addresses:
        page.goto(f"{live_server.url}{address}")
        found = Axe().run(page).response["violations"]
        failures += [f"{address}: {one['id']} {one['nodes'][0]['target']}" for one in found]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            failures.append(f"{address} scrolls sideways")
    assert failures == []
    page.context.close()
