"""Pages of who is signed in are kept by no browser and no proxy."""

import pytest
from django.test import Client

from tests.factories import make_person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/", "/inbox/", "/nothing-here/"])
def test_a_page_of_who_is_signed_in_is_not_kept(client: Client, address: str) -> None:
    client.force_login(make_person())
    kept = client.get(address)["Cache-Control"]
    assert "no-store" in kept
    assert "private" in kept
