"""Everything the page of one promotion shows, put together for the person who looks at it."""

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from promotion.actions.cancel import may_cancel
from promotion.actions.exceptions import MANAGERS_MAY_PASS, may_grant
from promotion.actions.go_on import may_go_on
from promotion.actions.retry import MAY_BE_RETRIED
from promotion.actions.roll_back import last_good_release
from promotion.formats import format_span
from promotion.forms import ExceptionForm
from promotion.gates.authors import commits_of, requesters_of
from promotion.models import Hold, Promotion, Release, Role, User
from promotion.rules.states import State

from .aftermath_panel import aftermath_context
from .approval_panel import ApprovalPanel, approval_panel, asks_approval
from .changes import Changes, changes_of
from .gate_rows import (
    GateRow,
    count_gates,
    earliest_of,
    exceptions_of,
    gate_rows,
    holding,
    passable_gates,
)
from .history import history_of
from .offered import offered_notes
from .stage_track import stops_of
from .step_rows import Steps, steps_of
from .target_rows import targets_of
from .verification_rows import verifications_of

POLL_RUNNING, POLL_OTHERWISE = 5, 30
FEWEST_FOR_TYPICAL = 5
ENDED_BADLY = frozenset({State.FAILED.value, State.ERRORED.value})
MAY_BE_UNDONE = frozenset({*ENDED_BADLY, State.SUCCEEDED.value, State.CANCELLED.value})


@dataclass(frozen=True, slots=True)
class Possible:
    """Something that may be done here; `refusal` says why this person may not, empty where they may."""

    label: str
    refusal: str = ""


def page_context(promotion: Promotion, person: User, at: datetime) -> dict[str, Any]:
    """The whole page."""
    panel = approval_panel(promotion, person, at) if asks_approval(promotion) else None
    if panel:
        commits, is_known = panel.facts.authors.commits, panel.facts.authors.range_is_known
    else:
        commits, is_known = commits_of(promotion)
    gates, steps = gates_context(promotion, person, at), steps_context(promotion)
    changes = changes_of(promotion, commits, range_is_known=is_known)
    possible = _possible(promotion, person, at)
    return {
        **gates,
        **steps,
        **history_context(promotion),
        **targets_context(promotion, steps["steps"]),
        **_status(promotion, gates["gates"], steps["steps"]),
        **aftermath_context(
            promotion, person, at, is_held=bool(gates["holding"]) and not gates["only_observes"]
        ),
        "behind": _behind(promotion),
        "offered_notes": offered_notes(promotion),
        "panel": panel,
        "changes": changes,
        "lede": _lede(promotion, changes),
        "stops": stops_of(promotion, _note(promotion, gates["gates"], panel, steps["steps"])),
        "hint": _hint(promotion, panel, gates, steps["steps"]) if panel else "",
        "starts_now": _starts_now(gates, panel),
        "asks_again": promotion.environment.is_production
        or any(row.exception for row in gates["gates"]),
        "exception_form": ExceptionForm(gates["passable"]) if gates["may_except"] else None,
        "possible": possible,
        "verifications": verifications_of(promotion, person, at),
        "refusals": [one.refusal for one in possible.values() if one.refusal],
        "hold": Hold.objects.filter(
            service=promotion.service_id, environment=promotion.environment_id, ended_at=None
        )
        .select_related("made_by")
        .first(),
        "may_manage": person.has_role(promotion.service.team, Role.RELEASE_MANAGER),
        "may_go_on": _may_go_on(promotion, person, steps["steps"]),
        "nav_section": "promotion-list",
    }


def gates_context(promotion: Promotion, person: User, at: datetime) -> dict[str, Any]:
    """What the live part of gates shows."""
    results = list(promotion.gate_results.select_related("exception__owner"))
    exceptions = exceptions_of(promotion, at) if promotion.is_open else []
    rows = gate_rows(results, exceptions)
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    only = _may_let_past(promotion, person)
    return {
        "promotion": promotion,
        "gates": rows,
        "gate_counts": count_gates(rows),
        "holding": holding(results),
        "earliest": earliest_of(promotion, results, at)
        if promotion.state == State.WAITING
        else None,
        "only_observes": stage.mode == "observe",
        "may_evaluate": person.may_ask(promotion.service.team)
        if promotion.state == State.WAITING
        else None,
        "may_except": promotion.state == State.WAITING and (only is None or bool(only)),
        "passable": passable_gates(rows, only=only),
        "poll": _poll(promotion),
    }


def _may_let_past(promotion: Promotion, person: User) -> frozenset[str] | None:
    """The gates the person may grant an exception from; None = all that may be passed."""
    if may_grant(person):
        return None
    is_manager = person.has_role(promotion.service.team, Role.RELEASE_MANAGER)
    return MANAGERS_MAY_PASS if is_manager else frozenset()


def _behind(promotion: Promotion) -> list[str]:
    """The names of those behind an automatic request."""
    if promotion.requested_by_id is not None:
        return []
    people = User.objects.filter(username__in=requesters_of(promotion)).order_by("username")
    return [one.name for one in people]


def steps_context(promotion: Promotion) -> dict[str, Any]:
    """What the live part of steps shows."""
    return {"promotion": promotion, "steps": steps_of(promotion), "poll": _poll(promotion)}


def targets_context(promotion: Promotion, steps: Steps | None = None) -> dict[str, Any]:
    """What the live part of targets shows."""
    targets = targets_of(promotion, steps or steps_of(promotion))
    return {"promotion": promotion, "targets": targets, "poll": _poll(promotion)}


def history_context(promotion: Promotion) -> dict[str, Any]:
    """What the live part of history shows."""
    return {"promotion": promotion, "history": history_of(promotion), "poll": _poll(promotion)}


def _poll(promotion: Promotion) -> int:
    """Seconds between looks; none once nothing changes any more."""
    if not promotion.is_open:
        return 0
    return POLL_RUNNING if promotion.state == State.RUNNING else POLL_OTHERWISE


def _status(promotion: Promotion, gates: list[GateRow], steps: Steps) -> dict[str, str]:
    """The pill beside the number."""
    if promotion.state == State.RUNNING:
        if steps.unknown:
            return {"status": "blocked", "status_text": "Running, needs a decision"}
        if promotion.stop_requested_at:
            return {"status": "waiting", "status_text": "Stopping"}
        if steps.paused:
            return {"status": "waiting", "status_text": "Running, waits for a person"}
        place = min(steps.done + 1, len(steps.rows))
        return {"status": "running", "status_text": f"Running, step {place} of {len(steps.rows)}"}
    if promotion.state == State.WAITING:
        held = [row for row in gates if row.result.is_required and row.result.verdict != "open"]
        if not held:
            return {"status": "waiting", "status_text": "Waiting"}
        worst = held[0]
        kind = "Blocked by" if worst.status == "blocked" else "Waiting for"
        return {"status": worst.status, "status_text": f"{kind} {worst.title.lower()}"}
    return {"status": promotion.state, "status_text": promotion.get_state_display()}


def _may_go_on(promotion: Promotion, person: User, steps: Steps) -> bool:
    paused = steps.paused
    return bool(paused and paused.run and may_go_on(person, paused.run, promotion))


def _lede(promotion: Promotion, changes: Changes) -> str:
    if promotion.kind == Promotion.Kind.ROLLBACK and promotion.undoes:
        first = f"Goes back from {changes.old_version or 'what runs there'}, undoing {promotion.undoes.number}."
    elif changes.old_version:
        first = f"Replaces {changes.old_version}."
    else:
        first = f"Nothing of {promotion.service.slug} ran there when it was asked for."
    return f"{first} {changes.summary}."


def _note(
    promotion: Promotion, gates: list[GateRow], panel: ApprovalPanel | None, steps: Steps
) -> str:
    """What stands under the promotion's own stop."""
    if promotion.state == State.RUNNING:
        return f"{steps.done} of {len(steps.rows)} steps done"
    if promotion.state != State.WAITING:
        return "" if promotion.state == State.SUCCEEDED else promotion.state
    if panel and panel.lacking:
        return f"waits for {panel.lacking} approval{'' if panel.lacking == 1 else 's'}"
    held = [row for row in gates if row.result.is_required and row.result.verdict != "open"]
    return f"waits for {held[0].title.lower()}" if held else "waits"


def _starts_now(gates: dict[str, Any], panel: ApprovalPanel | None) -> bool:
    """True where one more approval is all that is missing."""
    others = [one for one in gates["holding"] if one.gate != "approval"]
    return bool(panel and gates["gates"] and panel.lacking <= 1 and not others)


def _hint(promotion: Promotion, panel: ApprovalPanel, gates: dict[str, Any], steps: Steps) -> str:
    """What starts when the button is pressed."""
    first = steps.rows[0].title if steps.rows else "the promotion"
    if _starts_now(gates, panel):
        return f"Your approval is the last one: {first} starts at once{_typical(promotion)}."
    others = [
        row.title.lower()
        for row in gates["gates"]
        if row.result in gates["holding"] and row.result.gate != "approval"
    ]
    more = panel.lacking - 1
    waits = [f"{more} more approval{'' if more == 1 else 's'}"] if more > 0 else []
    waits += others
    if not waits:
        return f"After your approval it goes on by itself: {first} is the first step."
    return f"After your approval it still waits for {' and '.join(waits)}, then {first} starts by itself."


def _typical(promotion: Promotion) -> str:
    """How long it takes as a rule: the median of the last 20 that succeeded there, from 5 on."""
    rows = (
        Promotion.objects.of(promotion.service, promotion.environment)
        .filter(state=State.SUCCEEDED.value, started_at__isnull=False)
        .order_by("-ended_at")
        .values_list("started_at", "ended_at")[:20]
    )
    spans = [ended - started for started, ended in rows if started and ended]
    if len(spans) < FEWEST_FOR_TYPICAL:
        return ""
    seconds = statistics.median(span.total_seconds() for span in spans)
    return f" and takes about {format_span(timedelta(seconds=round(seconds)))} (median of {len(spans)})"


def _possible(promotion: Promotion, person: User, at: datetime) -> dict[str, Possible]:
    """What may be done besides deciding, with the reason where this person may not."""
    team = promotion.service.team
    found: dict[str, Possible] = {}
    if promotion.is_open:
        verb = "stop" if promotion.state == State.RUNNING else "cancel"
        takes = f"Only who asked for it, or a release manager of {team.name}, may {verb} it."
        label = "Stop…" if verb == "stop" else "Cancel…"
        found["cancel"] = Possible(label, "" if may_cancel(person, promotion) else takes)
    if promotion.state in MAY_BE_RETRIED:
        takes = f"Asking again takes a member or release manager of {team.name}."
        found["retry"] = Possible("Ask again", "" if person.may_ask(team) else takes)
    good = release_to_go_back_to(promotion, at)
    if good:
        takes = f"Rolling back takes a release manager of {team.name}."
        may = person.has_role(team, Role.RELEASE_MANAGER)
        found["rollback"] = Possible(f"Roll back to {good.version}…", "" if may else takes)
    return found


def release_to_go_back_to(promotion: Promotion, at: datetime) -> Release | None:
    """What a roll-back would bring; None where nothing was done here, or something newer was."""
    if promotion.state not in MAY_BE_UNDONE or promotion.started_at is None:
        return None
    newer = Promotion.objects.of(promotion.service, promotion.environment).filter(
        started_at__gt=promotion.started_at
    )
    if newer.exists():
        return None
    return last_good_release(promotion.service, promotion.environment, promotion.release, at)
