"""What the tests of telling share."""

import pytest

from tests.parts.mail_server import run_mail_server
from tests.parts.promotion_story import tell_story


@pytest.fixture
def story():
    return tell_story()


@pytest.fixture
def mail(settings):
    """A real mail server, set up as EMAIL_URL does."""
    from config.environment import read_mail

    with run_mail_server() as server:
        for name, value in read_mail(f"smtp://127.0.0.1:{server.port}").items():
            setattr(settings, name, value)
        settings.PUBLIC_URL = "https://throughline.meridian.example"
        settings.DEFAULT_FROM_EMAIL = "Throughline <throughline@meridian.example>"
        yield server


@pytest.fixture(autouse=True)
def _allow_loopback(request, settings):
    if "outside_only" not in request.fixturenames:
        settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]


@pytest.fixture
def outside_only():
    """No private address is allowed."""
