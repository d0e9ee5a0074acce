"""A small runtime for the demonstration: rolls out what the GitOps repository says, and reports it."""
