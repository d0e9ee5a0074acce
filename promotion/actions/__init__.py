"""What happens: one module per verb, one function one transaction."""
