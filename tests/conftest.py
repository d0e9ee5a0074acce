"""What all tests share: settings that need no environment."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from django.conf import settings

# For the processes that tests start; a data directory of the test run, never a running instance's.
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("THROUGHLINE_ENCRYPTION_KEYS", "dGVzdC1vbmx5LWtleS0wMTIzNDU2Nzg5YWJjZGVmMDE=")
if "THROUGHLINE_DATA" not in os.environ:
    # Of this run alone, so that two runs at once do not share a database.
    os.environ["THROUGHLINE_DATA"] = tempfile.mkdtemp(prefix="throughline-tests-")
    atexit.register(shutil.rmtree, os.environ["THROUGHLINE_DATA"], ignore_errors=True)
Path(os.environ["THROUGHLINE_DATA"]).mkdir(parents=True, exist_ok=True)

# Django's settings are read before this file, so that a bare `pytest` needs the same once more.
settings.DATA_DIR = Path(os.environ["THROUGHLINE_DATA"])
if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    settings.DATABASES["default"]["TEST"]["NAME"] = settings.DATA_DIR / "tests.sqlite3"
settings.SECRET_KEY = os.environ["SECRET_KEY"]
settings.ENCRYPTION_KEYS = [os.environ["THROUGHLINE_ENCRYPTION_KEYS"]]
settings.PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
]  # people are made in every test
