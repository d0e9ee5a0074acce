#!/usr/bin/env python3
"""Start Throughline, run its tests or one of its commands, with nothing installed but Python.

python3 run.py [--port 8000] [--host 127.0.0.1] [--data DIR] [--empty]
python3 run.py test [pytest arguments]
python3 run.py manage [--data DIR] COMMAND ...
"""

# This file is read by whatever Python the machine has, so it keeps to what every Python 3 can
# parse and run; everything newer is in the package `launch`, imported after the check.
import os
import sys
from collections.abc import Sequence

NEEDED = (3, 11)


def describe_unfit_python(version: "Sequence[int]", platform: str) -> "str | None":
    """The sentence for a Python or a system that cannot run Throughline, or None if it can."""
    if tuple(version[:2]) < NEEDED:
        found = ".".join(map(str, version[:2]))
        return "Throughline needs Python 3.11 or newer; this is " + found + "."
    if platform == "nt":
        return "Throughline runs on Linux and macOS; on Windows, run it inside WSL."
    return None


def main(arguments: "Sequence[str]") -> int:
    """Say why this Python will not do, or hand over to the launcher."""
    sentence = describe_unfit_python(sys.version_info[:2], os.name)
    if sentence:
        sys.stderr.write(sentence + "\n")
        return 2
    from launch.command_line import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
