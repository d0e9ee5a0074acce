"""Deciding about a promotion in a real browser, at a desk and on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from config.celery import app
from promotion.models import Approval, Promotion, User
from tests.parts.promotion_story import HOUR, NOW, Story, tell_story

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django would otherwise refuse.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    """Tasks run where they are asked for, and the clock is that of the story."""
    was_eager = app.conf.task_always_eager
    app.conf.task_always_eager = True
    with time_machine.travel(NOW, tick=True):
        yield
    app.conf.task_always_eager = was_eager


@pytest.fixture
def story() -> Story:
    return tell_story()


def open_page(
    browser: Browser, live_server: Any, person: User, path: str, size: str, scheme: str = "light"
) -> Page:
    client = Client()
    client.force_login(person)
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=size == "phone",
        reduced_motion="reduce",
    )
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{live_server.url}{path}")
    return page


def press(page: Page, name: str) -> None:
    """The button of that name that can be seen; the panel and the thumb bar hold one each."""
    page.get_by_role("button", name=name, exact=True).locator("visible=true").click()


@pytest.mark.parametrize("size", SIZES)
def test_the_last_approval_is_confirmed_and_starts_the_promotion(
    browser: Browser, live_server: Any, story: Story, size: str
) -> None:
    promotion = story.ask()
    story.approve(promotion, story.priya)
    page = open_page(browser, live_server, story.ines, f"/promotions/{promotion.pk}/", size)
    page.get_by_label("Comment").fill("Checked in staging.")
    press(page, "Approve and start…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Approve shipment-api 4.18.0 for production?")
    expect(dialog).to_contain_text(story.new.digests[0].removeprefix("sha256:")[:16])
    dialog.get_by_role("button", name="Approve and start").click()
    expect(page.locator("h1")).to_contain_text("shipment-api 4.18.0 to production")
    expect(page.locator("#toasts")).to_contain_text("Approval recorded.")
    expect(page.locator(".page-head")).to_contain_text("Running, step 1 of 1")
    approval = Approval.objects.get(person=story.ines)
    assert approval.comment == "Checked in staging."
    assert approval.content_hash == promotion.content_hash
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_rejection_needs_its_reason_before_it_is_sent(
    browser: Browser, live_server: Any, story: Story, size: str
) -> None:
    promotion = story.ask()
    page = open_page(browser, live_server, story.ines, f"/promotions/{promotion.pk}/", size)
    press(page, "Reject…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject promotion").click()
    assert not Approval.objects.exists()
    dialog.get_by_label("Reason").fill("Wait for the freeze.")
    dialog.get_by_role("button", name="Reject promotion").click()
    expect(page.locator("main")).to_contain_text("Ines Halvorsen rejected it: Wait for the freeze.")
    assert Promotion.objects.get().state == "rejected"
    page.context.close()


def test_the_key_a_asks_and_never_decides(browser: Browser, live_server: Any, story: Story) -> None:
    promotion = story.ask()
    page = open_page(browser, live_server, story.ines, f"/promotions/{promotion.pk}/", "desk")
    page.keyboard.press("a")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not Approval.objects.exists()
    page.context.close()


def test_a_button_one_may_not_use_says_why_and_does_nothing(
    browser: Browser, live_server: Any, story: Story
) -> None:
    promotion = story.ask()
    page = open_page(browser, live_server, story.viewer, f"/promotions/{promotion.pk}/", "phone")
    button = page.get_by_role("button", name="Approve", exact=True).locator("visible=true")
    expect(button).to_have_attribute("aria-disabled", "true")
    button.click(force=True)
    expect(page.locator("#why-not")).to_contain_text(
        "No approval rule of this promotion lets you in"
    )
    assert not Approval.objects.exists()
    page.context.close()


def test_a_part_is_replaced_while_what_is_typed_stays(
    browser: Browser, live_server: Any, story: Story
) -> None:
    promotion = story.ask()
    page = open_page(browser, live_server, story.ines, f"/promotions/{promotion.pk}/", "desk")
    page.get_by_label("Comment").fill("Half a sentence")
    story.approve(promotion, story.priya)
    page.evaluate(
        "htmx.ajax('GET', document.querySelector('#history').getAttribute('hx-get'),"
        " {source: '#history', target: '#history', swap: 'outerHTML'})"
    )
    expect(page.locator("#history")).to_contain_text("Priya Raman approved")
    expect(page.get_by_label("Comment")).to_have_value("Half a sentence")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_pages_of_work_pass_axe_and_fit_their_width(
    browser: Browser, live_server: Any, story: Story, size: str, scheme: str
) -> None:
    other = tell_story("rate-engine")
    running = other.ask(at=NOW - 3 * HOUR)
    other.start(running)
    running.step_runs.update(state="waiting", progress=0.4, message="2 of 5 run it")
    waiting = story.ask()
    story.approve(waiting, story.priya)
    addresses = [
        "/",
        "/inbox/",
        "/promotions/",
        f"/promotions/{waiting.pk}/",
        f"/promotions/{running.pk}/",
        f"/promotions/new/?release={story.new.pk}&environment=production",
    ]
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
