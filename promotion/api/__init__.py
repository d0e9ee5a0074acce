"""Machines' way in: webhooks and REST."""
