"""What happens with targets and assessments: one module per verb, one function = one transaction."""
