"""Boundaries that change place what happened anew: kept, marked, and only once."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from incidents import tasks
from incidents.models import CountMark, Incident, IncidentPast, PlacePrecision
from indicators.models import StaleMark
from indicators.stale import ask_for_drain
from tests.incidents.feed.conftest import (  # noqa: F401 - fixtures
    NOW,
    SOUTH,
    WEST,
    account,
    boundaries,
    item,
    send,
    square,
)
from units.models import Boundary, Level, Territory

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


def test_an_incident_whose_code_is_known_by_now_goes_to_it_with_its_precision(send, country):  # noqa: F811
    send(item("A", place="09D01C01S09"))
    before = Incident.objects.get()
    assert (before.place_precision, before.place_code.code) == (PlacePrecision.COARSER, "09D01C01S09")
    parent = Territory.objects.get(code="09D01C01")
    made = Territory.objects.create(code="09D01C01S09", name="New", level=Level.SUBCIRCUIT, parent=parent)
    run("--from", "2024-11", "--to", "2024-11")
    after = Incident.objects.get()
    assert (after.territory, after.place_precision, after.place_code) == (made, PlacePrecision.SUBCIRCUIT, None)
    past = IncidentPast.objects.get()
    assert (past.place_precision, past.place_code.code) == (PlacePrecision.COARSER, "09D01C01S09")


def test_a_queued_run_is_one_task_a_month(moved, monkeypatch):
    sent = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, args, **how: sent.append((name, args)))
    assert "3 months asked for" in run("--from", "2024-10", "--to", "2024-12", "--queue", "--reason", "new lines")
    assert [name for name, _ in sent] == [tasks.regeoreference.name] * 3
    assert sent[1][1] == ["2024-11-01", "2024-12-01", None, "new lines"]
    assert not IncidentPast.objects.exists()
    for _, args in sent:
        tasks.regeoreference(*args)
    assert places() == {2024: "09D01C02S01", 2023: "09D01C01S02"}


def test_a_dry_run_is_not_queued():
    with pytest.raises(CommandError, match="dry run"):
        run("--from", "2024-10", "--to", "2024-12", "--queue", "--dry-run")


def import_line(path, code, geometry, day):
    """Import a boundary that holds from a day on."""
    feature = {"type": "Feature", "properties": {"subcircuit_code": code}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    call_command("import_territories", str(path), "--valid-from", day, stdout=StringIO())


def test_boundaries_that_are_imported_are_asked_for_from_their_day_on(
    send, boundaries, tmp_path, monkeypatch, django_capture_on_commit_callbacks  # noqa: F811
):  # fmt: skip
    send(item("A", occurred_on="2023-05-05"), item("B", occurred_on="2024-11-20"))
    sent = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, args=None, **how: sent.append((name, args)))
    with django_capture_on_commit_callbacks(execute=True):
        import_line(tmp_path / "lines.geojson", "09D01C01S01", square(WEST, SOUTH, 0.4), "2024-10-15")
    months = [args[:2] for name, args in sent if name == tasks.regeoreference.name]
    assert months == [["2024-11-01", "2024-12-01"]]


def test_a_worker_places_anew_when_boundaries_are_imported(real_celery, wait_until, tmp_path):
    from incidents import feed
    from tests.incidents.country import Country, small_rows
    from units.models import User

    country = Country(small_rows())
    sender = User.objects.create(username="feed", institution=country.police)
    outcome = feed.receive(
        account=sender, institution=country.police, now=NOW, items=[item(place=None, longitude=-79.9, latitude=-2.9)]
    )
    assert outcome.flags == {0: ["point_nowhere"]}
    import_line(tmp_path / "lines.geojson", "09D01C01S01", square(WEST, SOUTH, 0.5), "2024-01-01")
    wait_until(lambda: Incident.objects.get().territory.code == "09D01C01S01")
    # Or the worker would still count while the tables are emptied.
    wait_until(_is_drained)


def _is_drained():
    """Asked for again and again, as beat does every ten seconds: a mark made while a drain ends is left to the next."""
    ask_for_drain()
    return not CountMark.objects.exists() and not StaleMark.objects.exists()


def test_a_month_that_is_none_is_refused():
    with pytest.raises(CommandError):
        run("--from", "2023-13", "--to", "2024-12")
