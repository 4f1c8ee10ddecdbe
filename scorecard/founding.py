"""How a new country begins: the State, the dictionary and the first administrator; and what is then still to do."""

from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from incidents import dictionary
from indicators.models import Assignment, Indicator, Measurement
from scorecard.models import Plan
from units import actions
from units.access import ROOT
from units.models import Institution, Level, Population, Territory, Unit, UnitUserObjectPermission, User
from units.people import held_by
from units.permissions import Permission, Role, roles_with

CODE = "STATE"


@transaction.atomic
def begin(*, name, username, from_month: date) -> User:
    """The State over the nation, the dictionary, and whoever administers it all. What is there already stays.

    A new person has no password yet: `units.people.password_path` leads to where it is chosen.
    """
    dictionary.ensure()
    root = _state(name, from_month)
    person = User.objects.filter(username=username).first() or actions.add_person(
        by=None, username=username, first_name="", last_name="", language=settings.LANGUAGE_CODE[:2]
    )
    if (Role.ADMINISTRATOR, root) not in held_by([person])[person.pk]:
        actions.grant_role(by=None, user=person, role=Role.ADMINISTRATOR, unit=root)
    return person


def _state(name, from_month):
    """The unit at the head of the State."""
    root = Unit.objects.filter(ROOT, institution__is_state=True).first()
    if root is not None:
        return root
    nation = Territory.objects.filter(level=Level.NATION).first()
    if nation is None:
        nation = Territory.objects.create(code=settings.COUNTRY_CODE, name=name, level=Level.NATION)
    head = {"code": f"{CODE}-{nation.code}", "name": name, "territory": nation}
    actions.open_institution(
        by=None, code=CODE, short_name=name[:24], name=name, is_state=True, root=head, from_month=from_month, now=None
    )
    return Unit.objects.get(code=head["code"])


class Step(NamedTuple):
    """Something that a new country needs: what, how it is done, where, whether it is."""

    label: str
    how: str
    href: str
    is_done: bool


def steps() -> list[Step]:
    """What a country needs before its pages say anything, in order. A question a step."""
    return [
        Step(
            _("Territories with their boundaries"),
            _("from a file, on the server: manage.py import_territories FILE"),
            reverse("manage-territories"),
            Territory.objects.filter(level__gt=Level.NATION).exists(),
        ),
        Step(
            _("Population by year"),
            _("for rates; from a file, on the server: manage.py import_population FILE"),
            reverse("manage-territories"),
            Population.objects.exists(),
        ),
        Step(
            _("Institutions"),
            _("police, prosecutor, emergency line: each with the unit at its head"),
            reverse("manage-institution-open"),
            Institution.objects.filter(is_state=False).exists(),
        ),
        Step(
            _("Their units"),
            _("each below another, over its territory; all at once, on the server: manage.py import_units FILE"),
            reverse("manage-unit-open"),
            Unit.objects.filter(parent__institution=F("institution")).exists(),
        ),
        Step(
            _("Indicator sheets"),
            _("what is measured and how; or all at once in the workbook of a plan"),
            reverse("manage-sheets"),
            Indicator.objects.exists(),
        ),
        Step(
            _("Assignments"),
            _("which unit reports which indicator, from when"),
            reverse("manage-assign"),
            Assignment.objects.exists(),
        ),
        Step(
            _("A plan"),
            _("objectives, weights and targets, approved before its lights count"),
            reverse("manage-plans"),
            Plan.objects.exists(),
        ),
        Step(
            _("People and their roles"),
            _("who enters figures, who approves them, who analyses"),
            reverse("manage-person-new"),
            UnitUserObjectPermission.objects.filter(permission__codename__in=roles_with(Permission.ENTER)).exists(),
        ),
        Step(
            _("Figures"),
            _("entered by units, loaded from files, or counted from the events of a feed"),
            reverse("imports"),
            Measurement.objects.exists(),
        ),
    ]
