"""What the checks of the standard ask of a team's record, beyond what the measures read."""

from .loading import find_team_keys, load_check_facts

__all__ = ["find_team_keys", "load_check_facts"]
