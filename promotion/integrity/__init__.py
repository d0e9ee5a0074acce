"""Digests, repositories, git, and guarded outgoing calls."""
