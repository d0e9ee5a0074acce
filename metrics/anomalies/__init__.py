"""Rules that say what does not behave as it usually does, made for few points. Pure."""
