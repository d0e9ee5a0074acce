"""The tags and filters that pages are written with."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Engine
from django.test import RequestFactory
from django.urls import NoReverseMatch
from django.utils import timezone

from promotion.templatetags import icons, navigation
from promotion.templatetags.status import STATUS_ICONS, displayed_status

ENGINE = Engine(builtins=["promotion.templatetags.throughline"])
NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
DIGEST = "sha256:9f3c1ab27e447d20b5e91c4fa86e3307bd18f2c96a5540e8d1730b6e4c92fa15"


def render(source: str, **context: Any) -> str:
    return ENGINE.from_string(source).render(Context(context)).replace("\u00a0", " ")


def request(path: str, view_name: str = "") -> Any:
    made = RequestFactory().get(path)
    made.resolver_match = mock.Mock(view_name=view_name)
    return made


@pytest.fixture
def existing_pages() -> Any:
    pages = {"overview": "/", "release-list": "/releases/", "audit-list": "/audit/"}

    def find(url_name: str) -> str:
        if url_name not in pages:
            raise NoReverseMatch(url_name)
        return pages[url_name]

    with mock.patch.object(navigation, "reverse", find):
        yield


@time_machine.travel(NOW, tick=False)
def test_when_is_relative_and_keeps_the_whole_time_in_the_readers_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Oslo")):
        html = render("{% when at %}", at=NOW - timedelta(hours=2))
    assert html == (
        '<time datetime="2026-11-23T13:20:00+01:00" '
        'title="Mon 23 Nov 2026, 13:20 CET">2 h ago</time>'
    )


@time_machine.travel(NOW, tick=False)
def test_age_leaves_out_the_word_ago_and_when_becomes_a_day() -> None:
    assert ">1 d 2 h</time>" in render("{% age at %}", at=NOW - timedelta(days=1, hours=2))
    assert ">Fri 9 Oct</time>" in render("{% when at %}", at=NOW - timedelta(days=45))


def test_an_absent_time_says_so_in_words() -> None:
    assert "none yet" in render("{% when at %}", at=None)
    assert "never" in render('{% moment at empty="never" %}', at=None)


def test_an_exact_moment_adds_utc() -> None:
    with timezone.override(ZoneInfo("Europe/Oslo")):
        html = render("{% moment at exact=True %}", at=NOW.replace(microsecond=31_000))
    assert "15:20:00.031 CET" in html
    assert "14:20:00.031 UTC" in html
    assert 'datetime="2026-11-23T14:20:00.031+00:00"' in html


def test_a_digest_copies_all_of_itself_and_shows_its_beginning() -> None:
    html = render("{% digest value %}{% digest value 16 %}", value=DIGEST)
    assert html.count(f'data-copy="{DIGEST}"') == 2
    assert ">9f3c1ab27e44<svg" in html
    assert ">9f3c1ab27e447d20<svg" in html
    assert 'aria-label="Copy digest 9f3c1ab27e44"' in html


def test_a_digest_from_outside_is_escaped() -> None:
    assert "<script>" not in render("{% digest value %}", value="<script>alert(1)</script>")
    assert "none yet" in render("{% digest value %}", value=None)


def test_an_icon_is_read_from_its_package_once() -> None:
    icons._read_shapes.cache_clear()
    with mock.patch.object(icons, "lucide", wraps=icons.lucide) as read:
        html = render('{% icon "check" %}{% icon "check" "icon-spin" %}')
    assert read.call_count == 1
    assert html.count('aria-hidden="true"') == 2
    assert 'class="icon icon-spin"' in html
    assert "width" not in html


def test_an_icon_with_a_label_speaks() -> None:
    assert 'role="img" aria-label="Locked"' in render('{% icon "lock" label="Locked" %}')


def test_every_icon_named_in_a_template_exists() -> None:
    root = Path(__file__).parents[2] / "templates"
    pattern = re.compile(r'{% (?:icon "([^"]+)"|(?:nav|tab)_item "[^"]+" "[^"]+" "([^"]+)")')
    named = {a or b for file in root.rglob("*.html") for a, b in pattern.findall(file.read_text())}
    assert named
    for name in named | set(STATUS_ICONS.values()):
        assert icons.icon(name).startswith("<svg")


def test_a_pill_shows_words_of_the_record_in_one_of_nine_ways() -> None:
    html = render('{% pill "rolled_back" %}{% pill "passed" "7 passed" %}{% mark "running" %}')
    assert '<span class="pill" data-status="warned">' in html
    assert "Rolled back</span>" in html
    assert "7 passed</span>" in html
    assert "icon-spin" in html


def test_a_word_nobody_placed_is_unknown_and_never_good() -> None:
    assert displayed_status("flourishing") == "unknown"
    assert displayed_status("") == "unknown"


def test_a_share_of_few_cases_is_muted_and_of_fewer_is_counted() -> None:
    assert render("{{ share|percent:n }}", share=0.8, n=19) == '<span class="muted">80 %</span>'
    assert render("{{ share|percent:n }}", share=0.8, n=20) == "80 %"
    assert render("{{ share|percent:n }}", share=0.75, n=4) == "3 of 4"
    assert render("{{ share|percent_headline:n }}", share=0.871, n=40) == "87.1 %"
    assert render("{{ share|percent:n }}", share=None, n=40) == "not measured"


def test_spans_numbers_and_points_read_as_the_design_says() -> None:
    html = render("{{ a|span }}, {{ b|grouped }}, {{ c|points }}", a=93_600, b=1_284, c=-0.012)
    assert html == "1 d 2 h, 1,284, \u22121.2 points"


def test_url_with_keeps_the_filters_and_starts_paging_anew() -> None:
    at = request("/audit/?team=billing&team=pricing&cursor=abc&kind=approval")
    html = render('{% url_with kind="" who="Mei & Co" %}', request=at)
    assert html == "?team=billing&amp;team=pricing&amp;who=Mei+%26+Co"
    html = render("{% url_with cursor=next %}", request=at, next="def")
    assert html == "?team=billing&amp;team=pricing&amp;kind=approval&amp;cursor=def"


def test_url_with_stands_alone_without_a_request() -> None:
    assert render("{% url_with period=30 %}") == "?period=30"
    assert render("{% url_with team=teams %}", teams=["a", "b"]) == "?team=a&amp;team=b"


@pytest.mark.usefixtures("existing_pages")
def test_a_nav_item_whose_page_does_not_exist_is_left_out_and_so_is_an_empty_group() -> None:
    source = (
        '{% nav_group "Work" %}{% nav_item "overview" "Overview" "layout-grid" %}'
        '{% nav_item "inbox" "Inbox" "inbox" %}{% endnav_group %}'
        '{% nav_group "Configure" %}{% nav_item "event-list" "Events" "webhook" %}'
        "{% endnav_group %}"
    )
    html = render(source, request=request("/", "overview"))
    assert 'href="/" title="Overview" aria-current="page"' in html
    assert "Inbox" not in html
    assert "Configure" not in html


@pytest.mark.usefixtures("existing_pages")
def test_a_page_below_a_list_marks_the_item_of_its_list() -> None:
    source = '{% nav_item "release-list" "Releases" "package" %}'
    assert 'aria-current="true"' in render(source, request=request("/x/", "release-detail"))
    assert "aria-current" not in render(source, request=request("/x/", "overview"))
    html = render(source, request=request("/x/", "search"), nav_section="release")
    assert 'aria-current="true"' in html


@pytest.mark.usefixtures("existing_pages")
def test_a_nav_item_counts_what_waits_and_hides_from_those_who_may_not() -> None:
    source = '{% nav_item "audit-list" "Audit log" "scroll-text" count=n count_label="new" %}'
    assert '<span class="count" data-urgent>3<span class="sr"> new</span></span>' in render(
        source, n=3
    )
    assert "count" not in render(source, n=0)
    assert (
        render('{% nav_item "audit-list" "Audit log" "scroll-text" allowed=no %}', no=False) == ""
    )


@pytest.mark.usefixtures("existing_pages")
def test_a_tab_item_is_a_short_link_of_the_bottom_bar() -> None:
    html = render('{% tab_item "overview" "Overview" "layout-grid" %}')
    assert html.startswith('<a href="/"><svg')
    assert render('{% tab_item "inbox" "Inbox" "inbox" %}') == ""


def test_a_person_is_named_in_full_where_possible() -> None:
    mei = mock.Mock(get_full_name=lambda: "Mei Tanaka")
    assert render("{{ person|person_name }}", person=mei) == "Mei Tanaka"
    assert render("{{ person|person_name }}", person=None) == "Throughline"
    assert ">MT</span>" in render("{% avatar person %}", person=mei)
    assert ">DB</span>" in render("{% avatar person %}", person="dependency-bot")
    assert "&lt;b&gt;" in render("{% avatar person %}", person="<b>")
