"""One assessment as a person sees it: statements with answers, measurements, and what others said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import cached_property

from metrics.actions.agree import refuse_agreeing
from metrics.actions.answer_alone import may_open
from metrics.actions.assess import may_record
from metrics.actions.support import may_support
from metrics.answers import Look, find_last_agreed, find_looks, find_sources, read_answers
from metrics.maturity.asking import find_stop
from metrics.maturity.levels import LevelResult
from metrics.maturity.model import MaturityModel, Statement
from metrics.maturity.spread import find_spread
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment, HandIn, OwnAnswer
from metrics.standing import derive_standing, find_model
from promotion.models import Team, User

from .results import find_result, show_result
from .telling_checks import show_check

OTHERS = (Value.UNKNOWN, Value.NOT_APPLICABLE)


@dataclass
class Sheet:
    """All of an assessment at a time, read once."""

    assessment: Assessment
    person: User
    at: datetime

    @cached_property
    def model(self) -> MaturityModel:
        """The standard it is answered by."""
        return find_model(self.assessment)

    @cached_property
    def answers(self) -> dict[str, Answer]:
        """The team's answers by statement."""
        return {answer.statement_id: answer for answer in read_answers(self.assessment)}

    @cached_property
    def result(self) -> dict[str, Any]:
        """The result as agreed, or as it would be now."""
        return find_result(self.assessment, list(self.answers.values()), self.model, self.at)

    @cached_property
    def before(self) -> Assessment | None:
        """What was agreed last, while this one is not."""
        if self.assessment.is_frozen:
            return None
        return find_last_agreed(self.assessment.team, self.model)

    @cached_property
    def looks(self) -> dict[str, Look]:
        """What asks for an answer or another look; nothing once it is agreed."""
        if self.assessment.is_frozen:
            return {}
        before = self.before.result if self.before else None
        looks = find_looks(
            self.model, self.answers.values(), self.result.get("checks", {}), before, self.at
        )
        if not self.is_alone:
            return looks
        own = {each.statement_id for each in self.said if each.person_id == self.person.pk}
        # Alone a member is asked the whole, or of a later assessment what asks for another look.
        asked = looks if self.before else {one.id: Look.UNANSWERED for one in self.model.statements}
        return {key: look for key, look in asked.items() if key not in own}

    @property
    def is_alone(self) -> bool:
        """Members answer alone now."""
        return self.assessment.is_answered_alone

    @cached_property
    def hand_ins(self) -> list[HandIn]:
        """Who handed in, in order."""
        if self.assessment.alone_at is None:
            return []
        return list(self.assessment.hand_ins.select_related("person"))

    @cached_property
    def has_handed_in(self) -> bool:
        """The person has."""
        return any(each.person_id == self.person.pk for each in self.hand_ins)

    @cached_property
    def said(self) -> list[OwnAnswer]:
        """What the person may see of what members said alone.

        All once the discussion is open; before it one's own, and after handing in that of the
        others who did.
        """
        if self.assessment.alone_at is None:
            return []
        rows = self.assessment.own_answers.select_related("person")
        if not self.is_alone:
            return list(rows)
        shown = {self.person.pk}
        if self.has_handed_in:
            shown |= {each.person_id for each in self.hand_ins}
        return list(rows.filter(person__in=shown))

    @cached_property
    def sources(self) -> list[Team]:
        """The teams whose answers can be taken over."""
        if not self.may_answer or self.is_alone:
            return []
        return find_sources(self.assessment.team, self.model)

    @cached_property
    def answered(self) -> set[str]:
        """The statements that have the team's answer."""
        return {key for key, answer in self.answers.items() if answer.value != Value.UNANSWERED}

    @cached_property
    def is_member(self) -> bool:
        """Takes part in the team."""
        return self.person.may_ask(self.assessment.team)

    @cached_property
    def may_answer(self) -> bool:
        """The form is open to the person."""
        if not self.is_member or not self.assessment.is_draft:
            return False
        return not self.has_handed_in if self.is_alone else may_record(self.assessment, self.person)

    def find_stop(self, category: str) -> int | None:
        """The level of a category at which asking may stop; not while one answers alone."""
        if self.assessment.is_frozen or self.is_alone:
            return None
        return find_stop(self._as_claimed, category, self.answered)

    @cached_property
    def _as_claimed(self) -> LevelResult:
        """The levels of the answers alone; what was measured does not matter to where one stops."""
        return derive_standing(self.model, self.answers.values(), self.at)

    def make_context(self) -> dict[str, Any]:
        """What every part of the page needs."""
        standing = show_result(
            self.result, self.model, self.answered, is_frozen=self.assessment.is_frozen
        )
        return {
            "assessment": self.assessment,
            "standing": standing,
            "sentence": self._open(standing),
            "is_member": self.is_member,
            "may_answer": self.may_answer,
            "may_support": may_support(self.person, self.assessment)
            and not self.assessment.is_frozen,
            "agree_refusal": refuse_agreeing(self.assessment, self.person),
            "is_alone": self.is_alone,
            "hand_ins": self.hand_ins,
            "has_handed_in": self.has_handed_in,
            "own_count": sum(each.person_id == self.person.pk for each in self.said),
            "may_open": self.is_alone and may_open(self.assessment, self.person),
            "sources": self.sources,
            "look_count": len(self.looks),
            "carried_count": sum(answer.is_carried for answer in self.answers.values()),
            "next_open": self._find_next(),
            "discussed": self._list_discussed(),
            "before": self.before,
        }

    def _find_next(self) -> dict[str, str] | None:
        """The first statement that asks for a look, and why; above a stop nothing does."""
        stops: dict[str, int | None] = {}
        for key, look in self.looks.items():
            statement = self.model.get_statement(key)
            category = statement.category
            if category not in stops:
                stops[category] = self.find_stop(category)
            stop = stops[category]
            if look is not Look.UNANSWERED or stop is None or statement.level <= stop:
                return {"category": category, "slug": statement.slug, "text": statement.text}
        return None

    def _list_discussed(self) -> list[dict[str, Any]]:
        """The statements members see wide apart, once the discussion is open."""
        if self.is_alone or not self.said:
            return []
        found = []
        for statement in self.model.statements:
            said = [Value(one.value) for one in self.said if one.statement_id == statement.id]
            if find_spread(said).is_wide:
                answer = self.answers.get(statement.id)
                at = self.assessment.discussed_at
                is_done = answer is not None and at is not None and answer.answered_at >= at
                found.append({"statement": statement, "is_done": is_done})
        return found

    def _open(self, standing: Mapping[str, Any]) -> str:
        """The sentence that opens the page: how far it is, and the levels."""
        if self.is_alone:
            own = sum(each.person_id == self.person.pk for each in self.said)
            handed = len(self.hand_ins)
            people = "1 member has" if handed == 1 else f"{handed} members have"
            return (
                f"Each member answers alone: you answered {own} of {standing['of']} statements,"
                f" {people} handed in."
            )
        levels = f"level {standing['claimed']} is claimed, level {standing['verified']} verified"
        count = f"{standing['answered']} of {standing['of']} statements are answered"
        if self.assessment.is_frozen:
            return f"Agreed: {levels}. The result stays as it was agreed."
        if not self.assessment.is_draft:
            return f"Waiting for somebody else to agree: {levels}; {count}."
        return f"{count}; {levels} so far."

    def make_cells(self, category: str, *, only_looks: bool = False) -> list[dict[str, Any]]:
        """The five levels of a category, each with its statements and their answers."""
        return [
            {
                "level": level,
                "statements": [
                    self.make_statement(one)
                    for one in self.model.get_statements(category)
                    if one.level == level.number and (not only_looks or one.id in self.looks)
                ],
            }
            for level in self.model.levels
        ]

    def make_statement(self, statement: Statement) -> dict[str, Any]:
        """One statement as the form shows it; what was measured only once it is answered."""
        answer = self.answers.get(statement.id)
        said = [each for each in self.said if each.statement_id == statement.id]
        own = next((each for each in said if each.person_id == self.person.pk), None)
        shown = own if self.is_alone else answer
        given = shown.value if shown else ""
        inherited = answer is not None and answer.inherited_from_id is not None
        written = self.result.get("checks", {}).get(statement.id)
        return {
            "statement": statement,
            "slug": statement.slug,
            "answer": None if self.is_alone else answer,
            "value_label": Value(given).label if given else "",
            "comment": shown.comment if shown else "",
            "choices": self._make_choices(statement, given, inherited and not self.is_alone),
            "inherits": not self.is_alone and (bool(self.sources) or inherited),
            "is_inherited": inherited and not self.is_alone,
            "check": show_check(statement, written, given) if shown else None,
            "is_not_applicable": given == Value.NOT_APPLICABLE,
            "is_agreed": answer is not None and answer.is_agreed_not_applicable(self.at),
            "has_accepted": answer is not None and answer.has_accepted_evidence(self.at),
            "look": self.looks.get(statement.id),
            "said": [
                {"person": each.person, "label": Value(each.value).label, "comment": each.comment}
                for each in said
                if not self.is_alone or self.has_handed_in
            ],
            "spread": find_spread([Value(each.value) for each in said]),
        }

    def _make_choices(
        self, statement: Statement, given: str, is_inherited: bool
    ) -> list[dict[str, Any]]:
        others = OTHERS if statement.na_allowed else OTHERS[:1]
        return [
            {
                "value": choice.value,
                "label": choice.label[:1].upper() + choice.label[1:],
                "example": statement.examples.get(choice, ""),
                "is_given": choice.value == given and not is_inherited,
            }
            for choice in (*statement.scale, *others)
        ]
