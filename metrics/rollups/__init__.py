"""Facts kept once for every unit, their sums by day, and the figures read from both."""
