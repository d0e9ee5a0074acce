"""What can go wrong with the demonstration."""

from promotion.exceptions import ThroughlineError


class DemoError(ThroughlineError):
    """The demonstration cannot be loaded or run as it should be."""
