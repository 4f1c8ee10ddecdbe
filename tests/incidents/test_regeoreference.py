"""Boundaries that change place what happened anew: kept, marked, and only once."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from incidents.models import CountMark, Incident, IncidentPast
from tests.incidents.feed.conftest import account, boundaries, item, send  # noqa: F401 - fixtures
from units.models import Boundary

pytestmark = pytest.mark.django_db


@pytest.fixture
def moved(send, country, boundaries):  # noqa: F811
    """Two incidents with a point, one with a code alone; then the subcircuits of the point change places."""
    send(
        item("A", place=None, longitude=-79.75, latitude=-2.25),
        item("B", occurred_on="2023-05-05", place=None, longitude=-79.75, latitude=-2.25),
        item("C"),
    )
    CountMark.objects.all().delete()
    Boundary.objects.filter(territory=country.places["09D01C01S02"]).update(territory=country.places["09D01C02S01"],
                                                                            valid_from="2013-01-01",
                                                                            valid_to="2014-01-01")  # fmt: skip
    Boundary.objects.filter(territory=country.places["09D01C02S01"], valid_from="2014-01-01").delete()
    Boundary.objects.filter(territory=country.places["09D01C02S01"]).update(valid_from="2014-01-01", valid_to=None)


def run(*args):
    out = StringIO()
    call_command("regeoreference", *args, stdout=out)
    return out.getvalue()


def places():
    return dict(Incident.objects.values_list("occurred_on__year", "territory__code").filter(longitude__isnull=False))


def test_incidents_of_the_months_are_placed_anew(moved):
    assert "1 looked at, 1 moved" in run("--from", "2024-11", "--to", "2024-11")
    assert places() == {2024: "09D01C02S01", 2023: "09D01C01S02"}
    past = IncidentPast.objects.get()
    assert (past.territory.code, past.changes, past.fate) == ("09D01C01S02", ["where"], "changed")
    assert [str(month) for month in CountMark.objects.values_list("month", flat=True)] == ["2024-11-01"]


def test_again_moves_nothing(moved):
    run("--from", "2023-01", "--to", "2024-12")
    assert "2 looked at, 0 moved" in run("--from", "2023-01", "--to", "2024-12")
    assert IncidentPast.objects.count() == 2


def test_dry_run_counts_and_writes_nothing(moved):
    assert "2 looked at, 2 moved" in run("--from", "2023-01", "--to", "2024-12", "--dry-run")
    assert not IncidentPast.objects.exists()


def test_a_month_that_is_none_is_refused():
    with pytest.raises(CommandError):
        run("--from", "2023-13", "--to", "2024-12")
