"""The Ministry's own files: exact totals, nothing dropped, and a revision told to the last row."""

from datetime import UTC, date, datetime

import pytest
from django.db.models import Sum

from incidents import actions
from incidents.models import Incident, IncidentPast, Publication, Victim
from indicators.models import Measurement, StaleMark
from tests.data import ECUADOR, needs

pytestmark = [needs("ecuador"), pytest.mark.large]
NOW = datetime(2024, 12, 20, 12, 0, tzinfo=UTC)
DECADE = "mdi_homicidiosintencionales_pm_2014-2023.xlsx"
BY_YEAR = {
    2014: 1310, 2015: 1050, 2016: 959, 2017: 970, 2018: 996, 2019: 1189, 2020: 1372, 2021: 2495, 2022: 4886, 2023: 8237,
}  # fmt: skip


def victims(country, year):
    held = Measurement.objects.filter(indicator=country.homicides, month__year=year)
    return held.aggregate(Sum("numerator"))["numerator__sum"]


@pytest.fixture
def country(db):
    from tests.incidents.country import Country, real_rows

    return Country(real_rows(ECUADOR))


@pytest.fixture
def take(country):
    def import_(name):
        return actions.import_file(
            path=ECUADOR / name,
            layout_name="mdi-homicides",
            as_of=date(2024, 12, 20),
            now=NOW,
            by=None,
            source=country.ministry,
        )

    return import_


def test_the_decade_is_taken_whole_and_then_revised(country, take):
    """One import serves all that is asked of it: it is the slow part."""
    first = take(DECADE)
    assert first.report["rows"] == {"read": 23464, "taken": 23464, "refused": 0, "blank": 0, "repeated": 114}
    assert first.report["mended"] == {
        "code_by_label": 13,
        "not_delimited": 144,
        "not_delimited_code": 36,
        "point_missing": 1,
        "point_zero": 9327,
        "spaces": 6161,
        "time_missing": 10,
    }
    assert Incident.objects.count() == Victim.objects.count() == 23464
    assert {year: victims(country, year) for year in BY_YEAR} == BY_YEAR
    assert first.report["without_unit"] == {}
    assert Measurement.objects.count() == 2 * 120 * 141
    _the_same_again_changes_nothing(take)
    _the_revision_is_told_to_the_last_row(country, take)


def _the_same_again_changes_nothing(take):
    before = (Publication.objects.count(), IncidentPast.objects.count(), StaleMark.objects.count())
    again = take(DECADE)
    assert again.report["outcome"] == {"unchanged": 23464, "added": 0, "changed": 0, "removed": 0}
    assert again.report["figures"] == {"created": 0, "changed": 0, "unchanged": 2 * 120 * 141}
    assert (Publication.objects.count(), IncidentPast.objects.count(), StaleMark.objects.count()) == before


def _the_revision_is_told_to_the_last_row(country, take):
    ids = set(Incident.objects.values_list("id", flat=True))
    StaleMark.objects.all().delete()
    outcome = take("made_revision_of_2023.csv")
    told = outcome.report["revised"]
    assert told["labels"] == {"reclassified": 7, "moved": 9, "redated": 4}
    assert told["counts"] == {"added": 12, "removed": 1, "changed": 20}
    assert (len(told["changed"]), len(told["added"]), len(told["removed"])) == (20, 12, 1)
    for change in told["changed"]:
        assert all(was != says for was, says in change["facts"].values())
        assert change["id"] in ids
    reclassified = [change["facts"] for change in told["changed"] if change["label"] == "reclassified"]
    assert reclassified == [{"category": ["HOMICIDE.MURDER", "HOMICIDE.CONTRACT"]}] * 7
    for change in told["changed"]:
        if change["label"] == "redated":
            was, says = map(date.fromisoformat, change["facts"]["date"])
            assert abs((was - says).days) == 1
    assert IncidentPast.objects.count() == 21
    assert victims(country, 2023) == 8248
    assert victims(country, 2022) == 4886
    assert _months_marked() == _months_told(told)
    again = take("made_revision_of_2023.csv")
    assert again.report["outcome"] == {"unchanged": 8248, "added": 0, "changed": 0, "removed": 0}
    assert again.report["figures"]["changed"] == 0


def _months_marked():
    return {month.strftime("%Y-%m") for month in StaleMark.objects.values_list("month", flat=True)}


def _months_told(told):
    """Months in which a count changed: where something came, went, moved to another unit, or to another month."""
    found = {row["date"][:7] for row in (*told["added"], *told["removed"])}
    dates = dict(Incident.objects.values_list("id", "occurred_on"))
    for change in told["changed"]:
        if "where" in change["facts"] and len({side["place"][:5] for side in change["facts"]["where"]}) > 1:
            found.add(dates[change["id"]].strftime("%Y-%m"))
        months = {day[:7] for day in change["facts"].get("date", ())}
        found |= months if len(months) > 1 else set()
    return found


def test_the_next_publication_is_taken_beside_it(country, take):
    outcome = take("mdi_homicidiosintencionales_pm_2024_enero-noviembre.xlsx")
    assert outcome.report["rows"] == {"read": 6275, "taken": 6275, "refused": 0, "blank": 0, "repeated": 24}
    assert outcome.report["period"] == ["2024-01", "2024-11"]
    assert victims(country, 2024) == 6275
