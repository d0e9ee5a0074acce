"""What `run.py` is made of: the environment, the data directory and the process tree.

Standard library only: these modules run before anything is installed. The one exception is
`loopback_broker`, which is run inside the made environment.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
