"""The five key measures: rows in, values out. Start at `registry.MEASURES`."""
