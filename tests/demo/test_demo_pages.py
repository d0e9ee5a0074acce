"""What pages show of the demonstration: who can be tried, and how far it is loaded."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from demo.exceptions import DemoError
from demo.loading import load
from demo.models import DemoProgress
from demo.people import PASSWORD, logins
from demo.timeline import list_versions, working_time
from tests.factories import make_service

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


def make_progress(**fields):
    return DemoProgress.objects.create(
        began_at=NOW, days=120, services=[], runtime_port=8471, done=62, total=100, **fields
    )


@pytest.mark.django_db
def test_the_bar_says_how_far_loading_is(client, settings):
    settings.DEMO_LOGINS = "demo.people.logins"
    make_progress()
    answer = client.get(reverse("demo-progress"))
    assert "Loading the demonstration, 62 %." in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["finished", "without demonstration", "not begun"])
def test_the_bar_goes_and_its_polling_with_it(client, settings, how):
    settings.DEMO_LOGINS = "" if how == "without demonstration" else "demo.people.logins"
    if how != "not begun":
        make_progress(finished_at=NOW if how == "finished" else None)
    assert client.get(reverse("demo-progress")).content.strip() == b""


def test_the_logins_are_printed_one_a_line():
    printed = StringIO()
    call_command("load_demo", "--logins", stdout=printed)
    lines = printed.getvalue().splitlines()
    assert len(lines) == len(logins())
    assert all(PASSWORD in line for line in lines)
    assert lines[0].startswith("ines ")


@pytest.mark.django_db
def test_an_organisation_of_others_is_never_loaded_over():
    make_service("their-own")
    with pytest.raises(DemoError, match="not loaded"):
        load(lambda _: None)
    assert not DemoProgress.objects.exists()


def test_versions_end_with_the_newest_and_never_go_back():
    versions = list_versions("4.18.1", 12)
    assert versions[-3:] == ["4.17.2", "4.18.0", "4.18.1"]
    numbers = [tuple(int(part) for part in version.split(".")) for version in versions]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 11, 20, 17, 5, tzinfo=UTC), datetime(2026, 11, 23, 7, 5, tzinfo=UTC)),
        (datetime(2026, 11, 23, 3, 9, tzinfo=UTC), datetime(2026, 11, 23, 7, 9, tzinfo=UTC)),
        (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
    ],
)
def test_people_work_by_day_and_not_on_weekends(at, expected):
    assert working_time(at) == expected
