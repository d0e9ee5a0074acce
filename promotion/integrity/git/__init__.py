"""Reading and changing files of git repositories without a git program."""
