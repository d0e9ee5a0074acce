"""What a promotion does; one module per step."""
