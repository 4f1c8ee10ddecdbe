"""An empty database becomes a country: who administers it can sign in, sees what is still to do, and may do it."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from incidents.models import Category, Variable, VariableCode
from scorecard import founding
from tests.factories import small_country
from units.models import Institution, Level, Territory, Unit, User
from units.permissions import Permission, Role, can, grant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def opened(*more, name="Ecuador"):
    said = io.StringIO()
    call_command("open_country", name, "--administrator", "ana", *more, stdout=said)
    return said.getvalue()


@pytest.fixture
def ana(client):
    opened()
    client.force_login(User.objects.get(username="ana"))
    client.cookies["django_language"] = "en"
    return client


def test_the_state_the_nation_and_the_whole_dictionary_are_there(db):
    opened("--since", "2014-01")
    root = Unit.objects.select_related("institution", "territory").get()
    assert root.institution.is_state
    assert (root.territory.code, root.territory.level) == ("EC", Level.NATION)
    assert str(root.periods.get().from_month) == "2014-01-01"
    assert (Variable.objects.count(), Category.objects.count() > 50, VariableCode.objects.count() > 900) == (
        50,
        True,
        True,
    )
    assert can(User.objects.get(username="ana"), Permission.MANAGE_PLANS, root)


def test_the_link_lets_the_administrator_choose_a_password(client):
    said = opened("--site", "https://tablero.example/")
    path = re.search(r"https://tablero\.example(/accounts/reset/\S+)", said)[1]
    form = client.get(path, follow=True)
    client.post(form.redirect_chain[-1][0], {"new_password1": "Guayllabamba-9", "new_password2": "Guayllabamba-9"})
    assert client.login(username="ana", password="Guayllabamba-9")
    assert "/accounts/reset/" not in opened()  # a second time changes nothing, and takes no password away


def test_again_it_changes_nothing_and_keeps_the_name(db):
    opened()
    counts = [model.objects.count() for model in (Institution, Unit, Territory, User, VariableCode)]
    opened(name="Another")
    assert [model.objects.count() for model in (Institution, Unit, Territory, User, VariableCode)] == counts
    assert Institution.objects.get().name == "Ecuador"


def test_a_month_that_is_none_is_said_in_one_line(db):
    with pytest.raises(CommandError, match="expected year and month"):
        opened("--since", "soon")
    assert not Institution.objects.exists()


def test_the_first_page_says_what_is_still_to_do_and_leads_there(ana):
    page = ana.get("/")
    text = page.content.decode()
    assert "A new country: 0 of 9 steps are done." in text
    for step in founding.steps():
        assert ana.get(step.href).status_code == 200, step.label
    Territory.objects.create(code="Z1", name="Zona 1", level=Level.ZONE, parent=Territory.objects.get())
    assert "1 of 9 steps are done" in ana.get("/").content.decode()


def test_where_all_is_done_no_step_is_shown(client):
    country = small_country(zones=1, districts=1, circuits=1, months=2)
    assert [step.label for step in founding.steps() if not step.is_done] == []
    user = country.people["administrator"]
    grant(user=user, role=Role.ADMINISTRATOR, unit=country.units["EST-EC"])
    client.force_login(user)
    assert 'class="steps"' not in client.get("/").content.decode()


def test_a_superuser_without_a_role_comes_to_what_there_is_to_manage(client):
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/").headers["Location"] == "/manage/"


@pytest.mark.parametrize("name", ["units", "map", "board", "hotspots", "incidents", "profile", "recent"])
def test_every_page_of_the_state_opens_before_there_is_anything_to_show(client, name):
    opened()
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(f"/{name}/STATE-EC/").status_code == 200


def test_whoever_cannot_sign_in_is_told_how_a_country_begins(db):
    said = io.StringIO()
    call_command("accounts", stdout=said)
    assert "manage.py open_country" in said.getvalue()
    opened()
    said = io.StringIO()
    call_command("accounts", stdout=said)
    assert "manage.py open_country" not in said.getvalue()
