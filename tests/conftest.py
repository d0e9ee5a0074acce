"""What all tests share: settings that need no environment, and a broker that never calls out."""

import os
from pathlib import Path

# Before Django reads its settings. A data directory of the test run, never the one of a running instance.
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("THROUGHLINE_ENCRYPTION_KEYS", "dGVzdC1vbmx5LWtleS0wMTIzNDU2Nzg5YWJjZGVmMDE=")
os.environ.setdefault(
    "THROUGHLINE_DATA", str(Path(os.environ.get("TMPDIR", "/tmp")) / "throughline-tests")
)
Path(os.environ["THROUGHLINE_DATA"]).mkdir(parents=True, exist_ok=True)
