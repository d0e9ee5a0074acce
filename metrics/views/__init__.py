"""Pages of the measures, the assessments and maturity."""
