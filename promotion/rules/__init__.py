"""What is right, as pure functions over plain data."""
