"""Notifications in a real browser: read by keyboard, chosen on a phone, held to WCAG 2.2 AA by axe."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from promotion.actions.read_notices import choices_of
from promotion.models import NoticeKind, Notification, NotificationChannel, Role, User
from tests.factories import make_person
from tests.parts.promotion_story import NOW, Story, tell_story

pytestmark = [pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
PAGES = ["/notifications/", "/notifications/choices/", "/notifications/channels/"]


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


@pytest.fixture
def story() -> Iterator[Story]:
    with time_machine.travel(NOW, tick=True):
        told = tell_story()
        told.ask()
        yield told


def open_page(
    browser: Browser, live_server: Any, person: User, path: str, size: str, scheme: str = "light"
) -> Page:
    client = Client()
    client.force_login(person)
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{live_server.url}{path}")
    return page


def test_the_bell_leads_to_what_waits_and_opening_it_marks_it_as_read(
    browser: Browser, live_server: Any, story: Story
) -> None:
    page = open_page(browser, live_server, story.ines, "/inbox/", "desk")
    page.get_by_role("link", name="Notifications, 1 unread").click()
    title = page.get_by_role("button", name="waits for your approval.").first
    title.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/promotions/*/")
    assert not Notification.objects.unread().filter(person=story.ines).exists()
    expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()


def test_choices_are_made_on_a_phone_by_keyboard(
    browser: Browser, live_server: Any, story: Story
) -> None:
    page = open_page(browser, live_server, story.ines, "/notifications/choices/", "phone")
    page.get_by_label("Running in the app").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Keep this choice").click()
    expect(page.get_by_label("Running in the app")).not_to_be_checked()
    assert choices_of(story.ines)[NoticeKind.RUNNING][0] is False


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_hold_wcag_and_fit_the_screen(
    browser: Browser, live_server: Any, story: Story, size: str, scheme: str
) -> None:
    pete = make_person("pete", Role.PLATFORM_ENGINEER, Role.RELEASE_MANAGER)
    channel = NotificationChannel.objects.create(
        name="#releases", form="webhook", address="https://example.org/", secret="whsec_c2VjcmV0",
        kinds=["waiting"], created_by=pete, created_at=NOW,
    )  # fmt: skip
    Notification.objects.create(
        person=pete, kind="failed", key="k", sentence="P-1 failed.", link="/", created_at=NOW
    )
    faults = []
    for path in [*PAGES, f"/notifications/channels/{channel.pk}/"]:
        page = open_page(browser, live_server, pete, path, size, scheme)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        faults += [
            f"{path}: {one['id']} {one['nodes'][0]['html']}" for one in found.response["violations"]
        ]
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > SIZES[size][0]:
            faults.append(f"{path} is {width} px wide")
        page.context.close()
    assert faults == []
