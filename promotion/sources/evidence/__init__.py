"""Evidence files: statements about a digest, as the tools that make them write them."""

from .source import SOURCE, add_given, read_carried

__all__ = ["SOURCE", "add_given", "read_carried"]
