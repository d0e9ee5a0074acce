"""A broken pipeline is refused with every problem, each with its line and key."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.rules.pipeline import PipelineError, PipelineForm, read_pipeline

WHOLE = (Path(__file__).parent / "whole-form.yaml").read_text()
HEAD = "service: shop\nstages:\n  - name: live\n    environment: production\n"
RULE = HEAD + "    approvals: ["
WAVES = HEAD + "    rollout: {waves: ["


def problems(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(PipelineError) as caught:
        read_pipeline(text)
    return [(one.line, one.key, one.sentence) for one in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("", 1, "", "empty"),
        ("- a\n", 1, "", "must be a mapping"),
        ("service: shop\n", 1, "stages", "needs stages"),
        ("service: shop\nstages: []\n", 2, "stages", "needs stages"),
        ("service: shop\nstages: live\n", 2, "stages", "must be a list"),
        ("service: [shop\n", 2, "", "no YAML"),
        ("service: shop\n\tstages: []\n", 2, "", "no YAML"),
        ("a: 1\n---\nb: 2\n", 2, "", "no YAML"),
        ('service: "\\UFFFFFFFF"\n', 0, "", "no YAML"),
        ("service: !!python/object:os.system {}\n", 1, "service", "tag"),
        ("service: shop\nservice: shop\nstages: []\n", 2, "service", "twice"),
        ("service: shop\n? [a]\n: 1\nstages: []\n", 2, "", "key must be a word"),
        ('service: "a\\0b"\nstages: []\n', 1, "service", "cannot be stored"),
        (HEAD + "    evnironment: x\n", 5, "stages[0].evnironment", 'did you mean "environment"'),
        (HEAD.replace("service", "servcie"), 1, "servcie", 'did you mean "service"'),
        (HEAD.replace("    environment: production\n", ""), 3, "stages[0].environment", "missing"),
        (HEAD.replace("live", "a b"), 3, "stages[0].name", "no name"),
        (HEAD.replace("live", "1"), 3, "stages[0].name", "quotes"),
        (HEAD + "    after: live\n", 5, "stages[0].after", "must be a list"),
        (HEAD + "    after: [live]\n", 5, "stages[0].after[0]", "after itself"),
        (HEAD + "    after: [stging]\n", 5, "stages[0].after[0]", "no stage"),
        (HEAD + "    auto: yes\n", 5, "stages[0].auto", "true or false"),
        (HEAD + "    mode: enfroce\n", 5, "stages[0].mode", "one of enforce, observe"),
        (HEAD + "    expires: soon\n", 5, "stages[0].expires", "soon"),
        (HEAD + "    expires: 14\n", 5, "stages[0].expires", "time like"),
        (HEAD + "    expires: 0s\n", 5, "stages[0].expires", "longer than nothing"),
        (HEAD + "    gates: [{a: 1, b: 2}]\n", 5, "stages[0].gates[0]", "one kind"),
        (HEAD + "    gates:\n      - soak: 24h\n", 6, "stages[0].gates[0].soak", "mapping"),
        (HEAD + "    gates: [{soak: {advisory: 1}}]\n", 5, "stages[0].gates[0].advisory", "true"),
        (HEAD + "    steps: [{notify: {retries: -1}}]\n", 5, "stages[0].steps[0].retries", "whole"),
        (HEAD + "    steps: [{notify: {timeout: x}}]\n", 5, "stages[0].steps[0].timeout", "x"),
        (HEAD + "    steps: [{http: {url: '{sevice}'}}]\n", 5, "stages[0].steps[0].url", "service"),
        (HEAD + "    steps: [{a: {b: '{digest:x}'}}]\n", 5, "stages[0].steps[0].b", "no artifact"),
        (RULE + "{count: 0}]\n", 5, "stages[0].approvals[0].count", "from 1"),
        (RULE + "{from: []}]\n", 5, "stages[0].approvals[0].from", "Nobody"),
        (RULE + "{from: ['role:boss']}]\n", 5, "stages[0].approvals[0].from", "role"),
        (RULE + "{from: ['team:x']}]\n", 5, "stages[0].approvals[0].from", "TEAM"),
        (RULE + "{exclude: [author]}]\n", 5, "stages[0].approvals[0].exclude[0]", "authors"),
        (RULE + "{name: a}, {name: a}]\n", 5, "stages[0].approvals[1].name", "apart"),
        (HEAD + "    ask: [{name: a, pattern: '('}]\n", 5, "stages[0].ask[0].pattern", "regular"),
        (HEAD + "    ask: [{name: a, kind: choice}]\n", 5, "stages[0].ask[0].choices", "choices"),
        (HEAD + "    ask: [{required: true}]\n", 5, "stages[0].ask[0].name", "missing"),
        (HEAD + "    rollout: {strategy: waves}\n", 5, "stages[0].rollout.waves", "needs waves"),
        (
            HEAD + "    rollout: {waves: [{targets: [a]}, {targets: [a]}]}\n",
            5, "stages[0].rollout.waves[1].targets", "already in wave 1",
        ),
        (WAVES + "{pause: 1m}]}\n", 5, "stages[0].rollout.waves[0].targets", "needs"),
        (HEAD + "    rollback: {gates: [order]}\n", 5, "stages[0].rollback.gates[0]", "forward"),
        (HEAD + 'version: "tag ~ ("\n', 5, "version", "regular"),
        (HEAD + 'version: "tag ~ ^v.*$"\n', 5, "version", "exactly one group"),
        (HEAD + 'version: "branch ~ (.*)"\n', 5, "version", "tag ~"),
        (HEAD + "repositories: {live: nowhere}\n", 5, "repositories.live", "connection/path"),
        (HEAD + "repositories: {live: 'a/{target}'}\n", 5, "repositories.live", "not known"),
        (HEAD + "artifacts: []\n", 5, "artifacts", "needs an artifact"),
        (HEAD + "artifacts: [a, a]\n", 5, "artifacts[1]", "twice"),
        (
            HEAD + "    windows: {allow: [{start: '2026-01-05T08:00', rrule: 'FREQ=NEVER'}]}\n",
            5, "stages[0].windows.allow[0].rrule", "NEVER",
        ),
        (
            HEAD + "    windows: {allow: [{start: '2026-01-05T08:00', zone: Europe/Brelin}]}\n",
            5, "stages[0].windows.allow[0].zone", "Brelin",
        ),
        (
            HEAD + "    windows: {deny: [{zone: UTC}]}\n",
            5, "stages[0].windows.deny[0].start", "missing",
        ),
        (
            HEAD + "    windows: {deny: [{start: '2026-01-05T08:00Z'}]}\n",
            5, "stages[0].windows.deny[0].start", "wall-clock",
        ),
    ],
)  # fmt: skip
def test_each_problem_names_its_line_and_key(text: str, line: int, key: str, words: str) -> None:
    found = problems(text)
    assert any((at, name) == (line, key) and words in said for at, name, said in found), found


def test_all_problems_come_at_once_in_the_order_of_lines() -> None:
    text = HEAD + "    mode: off\n    auto: 1\n    steps: [{notify: {to: '{who}'}}]\n"
    found = problems(text)
    assert [(line, key) for line, key, _ in found] == [
        (5, "stages[0].mode"),
        (6, "stages[0].auto"),
        (7, "stages[0].steps[0].to"),
    ]


def test_the_error_is_a_sentence_with_the_first_problem_and_the_count() -> None:
    with pytest.raises(InputError) as caught:
        read_pipeline(HEAD + "    mode: off\n    auto: 1\n")
    assert "line 5 stages[0].mode" in caught.value.sentence
    assert "1 more problem" in caught.value.sentence
    assert (caught.value.line, caught.value.key) == (5, "stages[0].mode")


def test_two_stages_share_neither_name_nor_environment() -> None:
    text = HEAD + "  - name: live\n    environment: production\n"
    assert [(line, key) for line, key, _ in problems(text)] == [
        (5, "stages[1].name"),
        (6, "stages[1].environment"),
    ]


def test_stages_in_a_circle_are_named() -> None:
    text = """\
service: shop
stages:
  - {name: a, environment: a, after: [c]}
  - {name: b, environment: b, after: [a]}
  - {name: c, environment: c, after: [b]}
  - {name: d, environment: d, after: [c]}
"""
    found = problems(text)
    assert [key for _, key, _ in found] == ["stages[0].after", "stages[1].after", "stages[2].after"]
    assert all("a, b, c" in sentence for _, _, sentence in found)


def test_digest_alone_needs_one_artifact_or_one_named_as_the_service() -> None:
    step = "    steps: [{notify: {to: '{digest}'}}]\n"
    assert "{digest:a} or {digest:b}" in problems(HEAD + step + "artifacts: [a, b]\n")[0][2]
    named = "    steps: [{notify: {to: '{digest:a}'}}]\n"
    for text in (
        HEAD + step,
        HEAD + step + "artifacts: [a]\n",
        HEAD + step + "artifacts: [shop, b]\n",
    ):
        assert read_pipeline(text).stages[0].steps
    assert read_pipeline(HEAD + named + "artifacts: [a, b]\n").stages[0].steps


def test_braces_of_expressions_and_queries_are_left_alone() -> None:
    gates = "[{expression: {if: '{a} == {b}'}}, {metric: {query: 'up{job=\"x\"}', below: 1}}]"
    assert len(read_pipeline(HEAD + f"    gates: {gates}\n").stages[0].gates) == 2


def test_only_true_and_false_are_booleans() -> None:
    text = HEAD + "    gates: [{tests: {names: [no, on, yes, 2026-01-05, 12:30]}}]\n"
    names = read_pipeline(text).stages[0].gates[0].settings["names"]
    assert names == ["no", "on", "yes", "2026-01-05", "12:30"]


def test_aliases_cannot_multiply() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert any("More than" in sentence for _, _, sentence in problems("\n".join(lines)))


@pytest.mark.parametrize(
    "text", ["&a [*a]", "&a {b: *a}", "&a {<<: *a}", "&a {<<: [*a, *a]}", "[" * 5000]
)
def test_endless_nesting_is_refused(text: str) -> None:
    assert "nested too deeply" in problems(text)[0][2]


def test_a_text_beyond_the_limit_is_refused_unread() -> None:
    assert "256 kB" in problems(HEAD + "# " + "x" * 300_000)[0][2]


pieces = st.sampled_from(
    ["[", "]", "{", "}", ":", "- ", "\n", "  ", "*a", "&a ", "!!str ", "<<: ", "null", "0", "1e999",
     "'", '"', "\\", "\t", "\0", "\ud800", "é", "? ", "|", ">", "%YAML 9.9\n", "---\n", "~",
     "9" * 5000]
)  # fmt: skip


def read_or_refuse(text: str) -> PipelineForm | PipelineError:
    try:
        return read_pipeline(text)
    except PipelineError as error:
        return error


@settings(max_examples=150, deadline=None)
@given(
    cuts=st.lists(
        st.tuples(
            st.integers(0, len(WHOLE)), st.integers(0, 12), st.one_of(pieces, st.text(max_size=4))
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_is_changed_the_only_error_is_ours(cuts: list[tuple[int, int, str]]) -> None:
    text = WHOLE
    for at, length, piece in cuts:
        text = text[:at] + piece + text[at + length :]
    outcome = read_or_refuse(text)
    assert isinstance(outcome, PipelineForm) or all(one.sentence for one in outcome.problems)


@settings(max_examples=100, deadline=None)
@given(text=st.lists(pieces, max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    outcome = read_or_refuse(text)
    assert isinstance(outcome, PipelineForm) or outcome.problems
