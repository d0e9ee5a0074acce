"""What must hold before a promotion starts; one module per gate."""
