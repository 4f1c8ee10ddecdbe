"""Administrators change the tree on pages: seen before it is saved, nothing typed lost, only inside their own tree."""

from datetime import date

import pytest
from django.urls import reverse

from indicators.models import StaleMark
from tests.factories import small_country
from units.models import Unit, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def country():
    return small_country(months=3)


@pytest.fixture
def visit(client, country):
    """`visit(role, address, **data)`: the response in English, as that person; a POST where there is data."""

    def ask(role, address, **data):
        client.force_login(country.people[role])
        headers = {"accept-language": "en"}
        return client.post(address, data, headers=headers) if data else client.get(address, headers=headers)

    return ask


def move(unit="PN-01D01C01", **changed):
    data = {"parent": "PN-01D02", "territory": unit.removeprefix("PN-"), "from_month": "2023-09", "step": "preview"}
    return {**data, **changed}


def test_the_home_shows_just_what_the_person_may_manage(visit):
    text = visit("unit_administrator", reverse("manage")).text
    assert reverse("manage-units") in text
    assert reverse("manage-people") in text
    assert "/manage/plans/" not in text
    assert visit("viewer", reverse("manage")).status_code == 403


def test_the_tree_begins_where_the_person_manages(visit):
    text = visit("unit_administrator", reverse("manage-units")).text
    assert "PN-Z1" in text
    assert "PN-Z2" not in text
    assert "PN-01D01" in visit("unit_administrator", reverse("manage-units") + "?in=PN-Z1").text
    assert "PN-02D01" not in visit("unit_administrator", reverse("manage-units") + "?q=D01").text


@pytest.mark.parametrize(
    ("role", "code", "status"),
    [
        ("unit_administrator", "PN-Z1", 200),
        ("unit_administrator", "PN-01D01C01", 200),
        ("unit_administrator", "PN-Z2", 404),
        ("unit_administrator", "PN-EC", 404),
        ("viewer", "PN-Z1", 403),
        ("auditor", "PN-Z1", 403),
        ("administrator", "EST-EC", 404),
        ("administrator", "PN-Z2", 200),
    ],
)
@pytest.mark.parametrize("name", ["manage-unit", "manage-unit-rename", "manage-unit-move", "manage-unit-close"])
def test_outside_the_tree_is_not_there_and_inside_needs_the_role(visit, name, role, code, status):
    assert visit(role, reverse(name, args=[code])).status_code == status


def test_a_preview_says_what_a_move_does_and_saves_nothing(visit, country):
    response = visit("administrator", reverse("manage-unit-move", args=["PN-01D01C01"]), **move())
    seen = response.context["preview"]
    assert {change.model for change in seen.changes} == {"Unit", "UnitPeriod"}
    parents = next(f for c in seen.changes if c.model == "Unit" for f in c.fields if "PN-01D01" in f.before)
    assert "PN-01D02" in parents.after
    assert seen.recomputed[0].cards > 0
    assert any("Approver" in line for line in seen.access)
    assert Unit.objects.get(code="PN-01D01C01").parent.code == "PN-01D01"
    assert not StaleMark.objects.exists()


def test_a_move_is_saved_when_confirmed_with_a_reason(visit, country):
    address = reverse("manage-unit-move", args=["PN-01D01C01"])
    response = visit("administrator", address, **move(step="confirm"))
    assert response.context["is_reason_missing"]
    assert Unit.objects.get(code="PN-01D01C01").parent.code == "PN-01D01"
    assert visit("administrator", address, **move(step="confirm", reason="new district")).status_code == 302
    assert Unit.objects.get(code="PN-01D01C01").parent.code == "PN-01D02"
    assert list(StaleMark.objects.values_list("month", flat=True)) == [date(2023, 9, 1), *_years_since(2023)]


def _years_since(year):
    return [date(y, 1, 1) for y in range(year + 1, date.today().year + 1)]  # noqa: DTZ011 - the page's own clock


def test_back_to_editing_keeps_what_was_typed(visit):
    address = reverse("manage-unit-move", args=["PN-01D01C01"])
    text = visit("administrator", address, **move(step="edit")).text
    assert 'value="PN-01D02"' in text
    assert 'value="2023-09"' in text


def test_errors_name_the_field_and_the_rule_and_lose_nothing(visit):
    address = reverse("manage-unit-open")
    data = {"parent": "PN-Z9", "code": "PN-NEW", "name": "Nueva", "from_month": "soon", "step": "preview"}
    text = visit("administrator", address, **data).text
    assert "There is no unit PN-Z9 that you may choose here." in text
    assert "Write the month as year and month, like 2023-05." in text
    assert 'value="Nueva"' in text
    assert 'href="#id_from_month"' in text


def test_an_action_refused_is_said_on_its_field(visit):
    data = {"parent": "PN-Z1", "code": "PN-NEW", "name": "Nueva", "territory": "01D01", "from_month": "2023-09"}
    response = visit("administrator", reverse("manage-unit-open"), **data, step="preview")
    assert "Another unit of National Police covers" in str(response.context["form"].errors["territory"])


def test_nobody_moves_a_unit_out_of_their_own_tree(visit):
    response = visit("unit_administrator", reverse("manage-unit-move", args=["PN-01D01C01"]), **move(parent="PN-02D01"))
    assert "parent" in response.context["form"].errors


def test_closing_says_which_figures_are_left_behind(visit):
    data = {"to_month": "2023-09", "step": "preview"}
    seen = visit("administrator", reverse("manage-unit-close", args=["PN-01D01C01"]), **data).context["preview"]
    assert any("closed" in line for line in seen.orphans)
    assert seen.lights is not None


def test_a_new_unit_is_opened(visit):
    data = {"parent": "PN-Z1", "code": "pn-new", "name": "Nueva", "from_month": "2023-09"}
    response = visit("administrator", reverse("manage-unit-open"), **data, step="confirm")
    assert response.headers["location"] == reverse("manage-unit", args=["PN-NEW"])
    assert Unit.objects.get(code="PN-NEW").parent.code == "PN-Z1"


def test_institutions_are_opened_above_them_alone(visit, client, country):
    assert visit("administrator", reverse("manage-institution-open")).status_code == 403
    assert visit("administrator", reverse("manage-institution", args=["PN"])).status_code == 200
    assert visit("unit_administrator", reverse("manage-institution", args=["PN"])).status_code == 403
    assert visit("administrator", reverse("manage-institution", args=["EST"])).status_code == 404
    country.people["root"] = User.objects.create(username="root", is_superuser=True)
    data = {
        "code": "FGE",
        "name": "Fiscalía",
        "short_name": "FGE",
        "root_code": "FGE-EC",
        "parent": "EST-EC",
        "from_month": "2023-01",
    }
    taken = visit("root", reverse("manage-institution-open"), **{**data, "root_code": "PN-EC"}, step="preview")
    assert list(taken.context["form"].errors) == ["root_code"]
    assert visit("root", reverse("manage-institution-open"), **data, step="confirm").status_code == 302
    assert Unit.objects.get(code="FGE-EC").institution.code == "FGE"


def test_territories_are_read_with_boundary_and_population(visit):
    assert "01D01" in visit("administrator", reverse("manage-territories") + "?level=3").text
    text = visit("administrator", reverse("manage-territory", args=["01D01"])).text
    assert "<svg" in text
    assert "2023" in text
    assert visit("administrator", reverse("manage-territory", args=["Z0"])).status_code == 200
    assert visit("administrator", reverse("manage-territory", args=["XX"])).status_code == 404
    assert visit("viewer", reverse("manage-territories")).status_code == 403


@pytest.mark.parametrize("address", ["manage-units", "manage-territories", "manage-people"])
def test_lists_leave_as_files(visit, address):
    response = visit("administrator", reverse(address) + "?format=csv")
    assert response.headers["content-type"].startswith("text/csv")
    assert len(response.content.splitlines()) > 5


@pytest.mark.parametrize("address", ["manage-units", "manage-people", "manage-territories"])
def test_lists_ask_as_often_for_a_large_country(client, count_queries, address, country):
    def asked():
        with count_queries() as queries:
            assert client.get(reverse(address)).status_code == 200
        return len(queries.page)

    client.force_login(country.people["administrator"])
    before = asked()
    for n in range(20):
        person = User.objects.create(username=f"p{n}", first_name="P", last_name=str(n))
        Unit.objects.create(institution=country.institutions["PN"], code=f"X{n}", name="X", path=[])
        person.refresh_from_db()
    assert asked() == before
