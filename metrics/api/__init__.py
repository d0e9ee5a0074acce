"""The measures for machines."""
