"""The maturity model as data, and levels from answers."""
