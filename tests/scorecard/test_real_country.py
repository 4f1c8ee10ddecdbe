"""The real files give the real country: the lines of docs/real-country.md, run as they stand there."""

import csv
import re
import shlex

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count

from incidents.models import Incident, IncidentPast, Publication
from indicators.models import Batch, Measurement, MeasurementPast
from scorecard.engines import ROOT
from scorecard.models import Card, Position
from tests.data import ECUADOR, needs
from units.models import Boundary, Level, Population, Territory, Unit

VICTIMS = {2014: 1310, 2015: 1050, 2016: 959, 2017: 970, 2018: 996, 2019: 1189, 2020: 1372, 2021: 2495, 2022: 4886,
           2023: 8237}  # fmt: skip

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.large,
    pytest.mark.xdist_group("sample"),  # both write where the sample is made
    needs("ecuador"),
]


def documented(refused):
    """The commands of the document's first block: lists of words, files found, what is refused written elsewhere."""
    block = re.search(r"```sh\n(.*?)```", (ROOT / "docs/real-country.md").read_text(), re.DOTALL)[1]
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith("python manage.py"):
            words = [word.replace("$DATA", str(ECUADOR)) for word in shlex.split(line)[2:]]
            words = [str(refused) if word.endswith(".refused.csv") else word for word in words]
            yield [name for word in words for name in _files(word)]


def _files(word):
    folder, _, pattern = word.rpartition("/")
    return sorted(f"{folder}/{path.name}" for path in ECUADOR.joinpath(folder).glob(pattern)) if "*" in word else [word]


@pytest.fixture(scope="module")
def country(django_db_setup, django_db_blocker, tmp_path_factory):
    """The country as documented, with the cards of two months instead of all. The path of the refused rows."""
    refused = tmp_path_factory.mktemp("real") / "cantons.refused.csv"
    with django_db_blocker.unblock(), transaction.atomic():
        commands = list(documented(refused))
        assert [words[0] for words in commands] == [
            "migrate", "load_sample", "import_territories", "import_population", "import_population",
            "import_incidents", "refresh",
        ]  # fmt: skip
        for words in commands[1:-1]:
            call_command(*words)
        for month in ("2014-12", "2023-12"):
            call_command("refresh", "--month", month)
        yield refused
        transaction.set_rollback(True)


def test_every_row_is_a_victim_and_the_years_have_their_totals(country):
    by_year = dict(Incident.objects.values_list("occurred_on__year").annotate(Count("pk")))
    assert by_year == VICTIMS
    publication = Publication.objects.get()
    assert (publication.rows, publication.added, publication.refused) == (23_464, 23_464, 0)
    assert publication.repeated > 0


@pytest.mark.parametrize("year", [2014, 2023])
def test_the_national_card_shows_the_rate_of_that_years_people(country, year):
    with open(ECUADOR / "indicators/ecuador_annual_homicides_2014_2026_resumen.csv", newline="") as file:
        people = {int(row["year"]): int(row["population"]) for row in csv.DictReader(file)}[year]
    for unit in ("PN-EC", "EST-EC"):
        card = Card.objects.get(month=f"{year}-12-01", unit__code=unit)
        at = Position.objects.get(institution__code=unit[:-3], indicator__code="PN.HOMICIDERATE").position
        assert card.to_date_value[at] == pytest.approx(VICTIMS[year] / people * 100_000, rel=1e-12)
    at = Position.objects.get(institution__code="PN", indicator__code="PN.HOMICIDES").position
    assert Card.objects.get(month=f"{year}-12-01", unit__code="PN-EC").to_date_value[at] == VICTIMS[year]


def test_every_victim_is_answered_for_by_a_unit(country):
    assert Publication.objects.get().report["without_unit"] == {}


def test_boundaries_are_approximate_and_stand_at_every_level_below_the_nation(country):
    assert not Boundary.objects.filter(is_schematic=False).exists()
    levels = dict(Boundary.objects.values_list("territory__level").annotate(Count("pk")))
    assert levels == {
        Level.ZONE: 9,
        Level.SUBZONE: 26,
        Level.DISTRICT: 140,
        Level.CIRCUIT: 1002,
        Level.SUBCIRCUIT: 1663,
    }
    assert Territory.objects.count() == 2969  # the structure knew every code of the files


def test_what_no_district_answers_for_is_refused_with_its_reason(country):
    with open(country, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["canton"], row["rule"]) for row in rows] == [
        ("LAS GOLONDRINAS", "no_district"), ("MANGA DEL CURA", "no_district"), ("EL PIEDRERO", "no_district"),
    ]  # fmt: skip
    districts = Population.objects.filter(year=2020, territory__level=Level.DISTRICT)
    assert sum(districts.values_list("people", flat=True)) == 17_510_643 - 41_907


def test_nothing_of_it_is_simulated(country):
    assert not Batch.objects.filter(is_simulated=True).exists()


def everything():
    """What the files said, in numbers that any change would move."""
    return {
        "territories": list(Territory.objects.order_by("pk").values_list("name", "parent", "latitude", "longitude")),
        "people": list(Population.objects.order_by("pk").values_list("territory", "year", "people", "source")),
        "cards": dict(Card.objects.filter(month="2023-12-01").values_list("unit", "digest")),
        **{
            model.__name__: model.objects.count()
            for model in (Boundary, Incident, IncidentPast, Publication, Measurement, MeasurementPast)
        },
    }


def test_each_file_taken_twice_changes_nothing(country, tmp_path):
    before = everything()
    for words in list(documented(tmp_path / "refused.csv"))[2:-1]:
        call_command(*words)
    call_command("refresh", "--month", "2023-12")
    assert everything() == before
    assert len(before["cards"]) == Unit.objects.count()
