"""What is simulated says so wherever it goes: in the files of pages of events, too."""

import pytest
from django.utils import timezone

from indicators.models import Batch
from scorecard import context
from tests.scorecard.country import signed_in
from tests.scorecard.hotspots.conftest import country, kinds, standing_country  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
FILES = (
    "/hotspots/PN-01D01/?method=counts&near=1&table=cells",
    "/hotspots/PN-01D01/?method=counts&near=1&table=near",
    "/recent/PN-01D01/?last=2024-01-08",
    "/profile/PN-01D01/?first=2023-01-01&last=2023-12-31",
    "/incidents/PN-01D01/?first=2023-01-01&last=2023-12-31",
    "/board/PN-01D01/?hours=24",
)


@pytest.fixture
def _asked_anew():
    context.forget()
    yield
    context.forget()


@pytest.mark.usefixtures("_asked_anew")
@pytest.mark.parametrize("address", FILES)
def test_a_file_says_that_it_is_simulated_where_it_is(country, address):  # noqa: F811
    client = signed_in(country.people["analyst"])
    assert "Simulated data" not in client.get(f"{address}&format=csv").content.decode()
    context.forget()
    Batch.objects.create(kind="sample", at=timezone.now(), is_simulated=True)
    response = client.get(f"{address}&format=csv")
    assert response["Content-Type"].startswith("text/csv")
    assert "# Simulated data,Monthly and daily detail is generated" in response.content.decode()
