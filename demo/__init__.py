"""The demonstration organisation; nothing else knows of it."""
