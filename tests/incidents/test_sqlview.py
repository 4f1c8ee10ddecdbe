"""Incidents by SQL, in columns that people read."""

import pytest
from django.db import connection

from incidents import sqlview
from incidents.models import Variable
from tests.incidents.feed.conftest import account, item, send  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def rows(view):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view}")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_view_tells_names_instead_of_codes(send):  # noqa: F811
    send(item(channel="phone"))
    sqlview.create()
    (row,) = rows("reporting_incident")
    told = [row[name] for name in ("external_id", "source", "category_name", "territory", "channel", "victims")]
    assert told == ["A-1", "PN", "Asesinato", "09D01C01S01", "phone", 1]
    (victim,) = rows("reporting_victim")
    assert (victim["sex"], victim["age"]) == ("Hombre", 30.0)
    assert "ethnicity" not in victim, "what is reserved is not for everybody who may ask"


def test_view_is_made_anew_as_the_dictionary_grows(send):  # noqa: F811
    sqlview.create()
    Variable.objects.create(factor="environment", key="noise", kind="number", position=40, name="Ruido")
    sqlview.create()
    send(item(variables={"noise": 7}))
    assert rows("reporting_incident")[0]["noise"] == 7.0
