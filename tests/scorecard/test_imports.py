"""Files in through a page: looked at first, loaded on a word, and given back where they cannot be taken."""

import io
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from indicators.models import Batch, Measurement
from scorecard import plan_export, uploads
from scorecard.models import Plan, PlanStatus
from tests.factories import MONTH, small_country
from tests.scorecard.test_plan_workbook import book_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
UNIT, OTHER = "PN-01D01C01", "PN-01D01C02"
HEAD = "month,indicator,unit,value\n"


@pytest.fixture
def country(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    made = small_country(zones=1, districts=1, circuits=2, months=2, cards=False)
    Measurement.objects.filter(month=MONTH).delete()
    Plan.objects.update(status=PlanStatus.DRAFT)
    return made


@pytest.fixture
def desk(country, client):
    class Desk:
        def sign_in(self, who):
            client.force_login(country.people[who])
            client.cookies["django_language"] = "en"
            return self

        def send(self, content, kind="values", name="october.csv"):
            content = content.encode() if isinstance(content, str) else content
            return client.post("/manage/imports/", {"kind": kind, "file": SimpleUploadedFile(name, content)})

        def preview(self, content, **more):
            self.address = self.send(content, **more)["Location"]
            return client.get(self.address)

        def load(self, **data):
            return client.post(self.address, data)

    return Desk().sign_in("reporter")


def figures():
    rows = Measurement.objects.filter(month=MONTH).values_list("indicator__code", "unit__code", "numerator")
    return sorted(rows)


def test_a_file_is_looked_at_first_and_loaded_on_a_word(country, desk):
    response = desk.preview(f"{HEAD}2023-10,PN.HOMICIDES,{UNIT},3\n")
    assert response.status_code == 200
    assert "Every row can be taken." in response.content.decode()
    assert ("new", 1) in response.context["found"].counts
    assert figures() == []
    assert desk.load().status_code == 302
    assert figures() == [("PN.HOMICIDES", UNIT, 3.0)]
    batch = Batch.objects.get(kind="values")
    assert (batch.name, batch.by) == ("october.csv", country.people["reporter"])
    assert list(uploads.folder().iterdir()) == []


def test_a_partly_bad_file_loads_nothing_unless_the_good_rows_are_accepted(desk, client):
    content = f"{HEAD}2023-10,PN.HOMICIDES,{UNIT},3\n2023-10,PN.HOMICIDES,{OTHER},4\n2023-10,PN.PATROLS,{UNIT},x\n"
    response = desk.preview(content)
    text = response.content.decode()
    assert "2 rows cannot be taken." in text
    assert [(r.row, r.rule) for r in response.context["found"].refused] == [(3, "not_allowed"), (4, "not_a_number")]
    assert desk.load().status_code == 422
    assert figures() == []
    back = client.get(f"{desk.address}?refused=1")
    assert 'filename="october.refused.csv"' in back["Content-Disposition"]
    assert back.content.decode("utf-8-sig").splitlines()[1].startswith("3,unit,not_allowed,")
    assert desk.load(accept="valid").status_code == 302
    assert figures() == [("PN.HOMICIDES", UNIT, 3.0)]


def test_a_file_that_cannot_be_read_says_why(desk):
    response = desk.preview("one,two\n1,2\n")
    assert response.status_code == 422
    assert "expected the columns month" in response.content.decode()


def test_too_large_and_empty_files_are_refused_at_the_door(desk, settings):
    settings.MAX_IMPORT_BYTES = 10
    assert "has 0 MB; a file may have 0 MB" in desk.send(f"{HEAD}2023-10,x,y,1\n").content.decode()
    settings.MAX_IMPORT_BYTES = 2**20
    assert desk.preview("").status_code == 422


def test_a_file_is_its_senders_alone(country, desk, client):
    desk.preview(f"{HEAD}2023-10,PN.HOMICIDES,{UNIT},3\n")
    desk.sign_in("approver")
    assert client.get(desk.address).status_code == 404
    assert client.get(unquote(desk.address)[:-3] + "xx/").status_code == 404


@pytest.mark.parametrize(
    ("who", "status", "kinds"),
    [("reporter", 200, ["values"]), ("approver", 200, ["values"]), ("administrator", 200, ["plan"]),
     ("viewer", 403, []), ("auditor", 403, []), ("nobody", 403, [])],
)  # fmt: skip
def test_who_may_load_what(desk, client, who, status, kinds):
    desk.sign_in(who)
    response = client.get("/manage/imports/")
    assert response.status_code == status
    if kinds:
        assert response.context["kinds"] == kinds


def test_a_kind_that_is_not_ones_own_is_refused(desk):
    assert desk.send(book_of(), kind="plan", name="plan.xlsx").status_code == 422


def test_a_plan_is_looked_at_and_loaded(country, desk, client):
    response = desk.sign_in("administrator").preview(book_of(), kind="plan", name="plan.xlsx")
    text = response.content.decode()
    assert "National Police 2024" in text
    assert ("objectives: new", 2) in response.context["found"].counts
    assert not Plan.objects.filter(year=2024).exists()
    desk.load()
    assert Plan.objects.filter(year=2024).exists()


def test_a_plan_with_a_fault_is_not_loaded_even_if_asked(country, desk, client):
    content = book_of(lines=[{"objective": "9", "indicator": "PN.SOLVED", "weight": 100}])
    response = desk.sign_in("administrator").preview(content, kind="plan", name="plan.xlsx")
    assert "accept" not in response.content.decode().split("<main")[1]
    assert desk.load(accept="valid").status_code == 422
    assert not Plan.objects.filter(year=2024).exists()


def test_the_template_and_a_plan_can_be_taken_away(country, desk, client):
    plan = Plan.objects.get(institution__code="PN")
    desk.sign_in("administrator")
    assert client.get("/manage/imports/template.xlsx").content[:2] == b"PK"
    response = client.get(f"/manage/imports/plan/{plan.pk}.xlsx")
    assert 'filename="plan-pn-2023.xlsx"' in response["Content-Disposition"]
    assert len(response.content) == pytest.approx(len(plan_export.workbook_of(plan)), rel=0.02)
    desk.sign_in("nobody")
    assert client.get(f"/manage/imports/plan/{plan.pk}.xlsx").status_code == 404
    assert client.get("/manage/imports/template.xlsx").status_code == 403


def test_an_upload_is_forgotten_after_a_day(country, desk):
    import os

    desk.preview(f"{HEAD}2023-10,PN.HOMICIDES,{UNIT},3\n")
    (kept,) = uploads.folder().iterdir()
    os.utime(kept, (0, 0))
    desk.preview(f"{HEAD}2023-10,PN.HOMICIDES,{UNIT},4\n")
    assert kept not in list(uploads.folder().iterdir())
    assert io.BytesIO(next(iter(uploads.folder().iterdir())).read_bytes()).read().endswith(b",4\n")
