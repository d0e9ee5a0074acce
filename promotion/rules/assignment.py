"""Which approval counts for which rule when a person may count for one rule only."""

from collections.abc import Sequence
from dataclasses import dataclass, field


def assign_people(
    seats: Sequence[int], eligible: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], ...]:
    """Give each person at most one seat of a rule that lets them in; names per rule, in order.

    `seats` and `eligible` go rule by rule. The assignment fills the seats of most rules, among
    those uses most people, among those gives most to the first rule, then the second, and so on.
    Augmenting paths keep it polynomial in the people; only the choice of rules is searched.
    """
    best: tuple[tuple[int, ...], _Seating] | None = None
    branches = [(0, 0, _Seating(tuple(seats), tuple(tuple(names) for names in eligible)))]
    while branches:
        rule, given_up, seating = branches.pop()
        if best and len(seats) - given_up < best[0][0]:
            continue
        if rule == len(seats):
            seating.fill_in_order()
            if best is None or seating.worth() > best[0]:
                best = seating.worth(), seating
            continue
        filled = seating.copy()
        # The last pushed is looked at first, so that meeting every rule is tried before less.
        if seats[rule] > 0:
            branches.append((rule + 1, given_up + 1, seating))
        if filled.fill(rule):
            branches.append((rule + 1, given_up, filled))
    return best[1].names() if best else ()


def can_fill_all(seats: Sequence[int], eligible: Sequence[Sequence[str]]) -> bool:
    """Whether every rule's seats can be filled with each person in one of them at most."""
    seating = _Seating(tuple(seats), tuple(tuple(names) for names in eligible))
    return all(seating.fill(rule) for rule in range(len(seats)))


@dataclass(slots=True)
class _Seating:
    """Who sits where. Seating one more never takes a seat from another rule."""

    seats: tuple[int, ...]
    eligible: tuple[tuple[str, ...], ...]
    seated: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "_Seating":
        return _Seating(self.seats, self.eligible, dict(self.seated))

    def count(self, rule: int) -> int:
        return sum(1 for seated in self.seated.values() if seated == rule)

    def fill(self, rule: int) -> bool:
        """Seat people for the rule until its seats are full; False if they cannot be filled."""
        return all(self._seat_one(rule, set()) for _ in range(self.seats[rule] - self.count(rule)))

    def fill_in_order(self) -> None:
        """Seat whom it can, the first rule ahead."""
        for rule in range(len(self.seats)):
            self.fill(rule)

    def worth(self) -> tuple[int, ...]:
        """Rules met, people used, then people by rule: greater is better."""
        given = [self.count(rule) for rule in range(len(self.seats))]
        met = sum(1 for has, needs in zip(given, self.seats, strict=True) if has >= needs)
        return met, sum(given), *given

    def names(self) -> tuple[tuple[str, ...], ...]:
        rules = range(len(self.seats))
        return tuple(tuple(sorted(n for n, at in self.seated.items() if at == r)) for r in rules)

    def _seat_one(self, rule: int, asked: set[str]) -> bool:
        """Find one more person for the rule, moving others to other seats of theirs if need be."""
        for name in self.eligible[rule]:
            if name in asked or self.seated.get(name) == rule:
                continue
            asked.add(name)
            holder = self.seated.get(name)
            if holder is None or self._seat_one(holder, asked):
                self.seated[name] = rule
                return True
        return False
