"""From facts to a picture."""
