"""From 'a tool told us' to 'it is deployed'."""
