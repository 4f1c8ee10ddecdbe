"""The command tells what it took, mended, refused and revised, in the language asked for."""

import csv
import io
import stat
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from incidents.models import Incident, Publication
from tests.incidents.files import row, write_csv


@pytest.fixture
def run(country, tmp_path, settings):
    """Run the command on rows; returns what it printed. `run.path` is the file."""
    settings.VAR_DIR = tmp_path / "var"

    def command(rows, *options):
        path = write_csv(tmp_path / "file.csv", rows)
        out, progress = io.StringIO(), io.StringIO()
        given = ("--layout", "mdi-homicides", "--source", "MDI", "--language", "en")
        try:
            call_command("import_incidents", str(path), *given, *options, stdout=out, stderr=progress)
        finally:
            command.printed, command.progress = out.getvalue(), progress.getvalue()
        return command.printed

    return command


def test_the_report_names_what_was_taken_mended_and_repeated(run):
    printed = run([row(coordenada_x=0, coordenada_y=0), row(tipo_arma="PISTOLA "), row()])
    assert "Rows read: 3; taken: 3; refused: 0; empty: 0" in printed
    assert "Rows that repeat an earlier one in every column (counted, none dropped): 1" in printed
    assert "coordinates (0, 0), taken as missing [point_zero]" in printed
    assert "Months covered: 2023-05 to 2023-05" in printed
    assert "Incidents: 3 added, 0 changed, 0 removed, 0 as before" in printed
    assert "Figures: 6 new, 0 changed, 0 as before" in printed
    assert "Counting" in run.progress
    assert Publication.objects.get().name == "file.csv"


def test_revisions_are_told_one_by_one(run):
    run([row(), row(edad=8, lugar="RIO")])
    printed = run([row(tipo_muerte="SICARIATO"), row(edad=8, lugar="RIO")])
    assert "1  reclassified [reclassified]" in printed
    assert "category: HOMICIDE.MURDER > HOMICIDE.CONTRACT" in printed


def test_a_partly_bad_file_fails_naming_row_field_and_rule(run):
    with pytest.raises(CommandError, match="accept-valid"):
        run([row(), row(tipo_muerte="SUICIDIO")])
    assert "row 3, category: The category is not one of the layout's. (SUICIDIO) [category_unknown]" in run.progress
    assert not Incident.objects.exists()


def test_refused_rows_are_given_back_with_their_reasons_for_the_owners_eyes(run, tmp_path):
    printed = run([row(), row(tipo_muerte="SUICIDIO", edad=77)], "--accept-valid")
    (path,) = (tmp_path / "var" / "refused").iterdir()
    assert str(path) in printed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        (given,) = csv.DictReader(file)
    assert (given["row"], given["field"], given["rule"]) == ("3", "category", "category_unknown")
    assert (given["tipo_muerte"], given["edad"]) == ("SUICIDIO", "77")
    assert Incident.objects.count() == 1


def test_the_file_of_refused_rows_goes_where_it_is_asked_to(run, tmp_path):
    path = tmp_path / "back.csv"
    run([row(), row(tipo_muerte="SUICIDIO")], "--accept-valid", "--refused", str(path))
    assert path.exists()


def test_a_trial_writes_nothing(run, tmp_path):
    printed = run([row(), row(tipo_muerte="SUICIDIO")], "--accept-valid", "--dry-run")
    assert "A trial: nothing was written." in printed
    assert not Incident.objects.exists()
    assert not (tmp_path / "var").exists()


def test_months_can_be_said(run):
    assert "Months covered: 2023-04 to 2023-06" in run([row()], "--covers", "2023-04:2023-06")


def test_who_imports_is_kept(run, django_user_model):
    ana = django_user_model.objects.create_user("ana")
    run([row()], "--by", "ana")
    assert Publication.objects.get().batch.by == ana


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--source", "XX"], "There is no institution XX."),
        (["--by", "nobody"], "There is no user nobody."),
        (["--covers", "2023-13"], "covers"),
        (["--covers", "2023-05:2023-04"], "covers"),
        (["--layout", "nothing"], "layout"),
    ],
)
def test_a_wrong_option_is_named(run, options, words):
    with pytest.raises(CommandError, match=words):
        run([row()], *options)


def test_a_file_of_another_layout_names_what_is_missing(country, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("anio,fecha_infraccion\n2023,01/01/2023\n")
    with pytest.raises(CommandError, match="tipo_muerte, codigo_subcircuito") as caught:
        call_command("import_incidents", str(path), "--layout", "mdi-homicides", "--source", "MDI", "--language", "en")
    assert "anio, fecha_infraccion" in str(caught.value)


def test_a_file_that_would_empty_a_month_is_stopped_in_words(run):
    run([row(edad=age, fecha_infraccion=date(2023, 5, 1 + age)) for age in range(12)])
    with pytest.raises(CommandError, match="--accept-removals"):
        run([row(edad=1, fecha_infraccion=date(2023, 5, 2))])
