"""The small country with something on every page, and people who hold each role in several places of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from incidents.connect import actions as connectors
from incidents.connect import letters
from incidents.dictionary import ensure
from incidents.feed.items import Fault
from incidents.models import Category, DeadLetter, EventRule, Measure
from indicators.models import Measurement
from scorecard import uploads
from scorecard.models import Objective, Perspective, Plan, PlanLine, PlanStatus
from tests.factories import MONTH, NOW, small_country
from units import actions, tokens
from units.models import UnitUserObjectPermission, User
from units.permissions import Role, bulk_grants

UNIT = "PN-01D01"
CIRCUIT = "PN-01D01C01"
LEAF, CLOSED = "PN-01D01C02", "PN-01D01X"  # below UNIT: one without units of its own, and one that is closed
BLANK = "PN.PATROLS"  # of CIRCUIT nothing was said in this month yet


@dataclass(frozen=True)
class Place:
    """Where a role is held, as seen from what the page is about."""

    name: str
    code: str


# A page about a unit is about UNIT; one about what an institution has as a whole is about the police.
OF_UNIT = (
    Place("inside", UNIT),
    Place("above", "PN-Z1"),
    Place("beside", "PN-01D02"),
    Place("below", CIRCUIT),
)
OF_INSTITUTION = (
    Place("inside", "PN-EC"),
    Place("above", "EST-EC"),
    Place("beside", "EST-Z1"),
    Place("below", UNIT),
)
PLACES = sorted({place.code for place in OF_UNIT + OF_INSTITUTION})


def username(role, code):
    return f"{role}.in.{code}"


def whole_country():
    """The small country, a draft of its plan that can be approved, an approved one, a blank, and one person each."""
    country = small_country(missing=0)
    Measurement.objects.filter(month=MONTH, unit=country.unit(CIRCUIT), indicator__code=BLANK).delete()
    _closed_unit(country)
    _plans(country)
    country.event_rule = _event_rule(country)
    country.incident = _incident(country)
    country.connector, country.letter = _feed(country)
    _people(country)
    country.upload = a_file_sent_by(country.people["subject"])
    country.token = _service_account(country)
    return country


def _closed_unit(country):
    unit = actions.open_unit(
        by=None,
        institution=country.institutions["PN"],
        code=CLOSED,
        name="Antiguo",
        parent=country.unit(UNIT),
        from_month=country.months[0],
    )
    actions.close_unit(by=None, unit=unit, to_month=MONTH)


def _service_account(country):
    """The police's own, with a token; whoever manages people may appoint to its role."""
    police = country.institutions["PN"]
    account = tokens.add_account(by=None, institution=police, username="feed.pn", name="Feed", role=Role.VIEWER)
    now = timezone.now()
    return tokens.issue(by=None, account=account, name="server", expires_at=now + timedelta(days=30), now=now)[0]


def _event_rule(country):
    ensure()
    return EventRule.objects.create(
        indicator=country.indicators["PN.HOMICIDES"],
        measure=Measure.VICTIMS,
        category=Category.objects.get(code="HOMICIDE"),
        from_month=country.months[0],
    )


def _incident(country):
    """One homicide in CIRCUIT, with its victim; its number."""
    from tests.scorecard.events import happened

    at = datetime(2023, 10, 7, 22, 30, tzinfo=UTC)
    return happened(country, Category.objects.get(code="HOMICIDE"), "01D01C01", at)[0]


def _feed(country):
    """A connector of the police, and an item that it brought and that was refused."""
    police = country.institutions["PN"]
    made = connectors.add(
        by=None, institution=police, name="calls", url="https://feeds.example.org/calls", paging="cursor", now=NOW
    )
    refused = [({"external_id": "A-1", "category": "NO"}, "A-1", Fault("category", "unknown_category", "NO"))]
    letters.keep(account=made.account, institution=police, refused=refused, now=NOW, connector=made)
    return made, DeadLetter.objects.get()


def a_file_sent_by(user):
    file = SimpleUploadedFile("values.csv", b"unit,month\n")
    return uploads.keep(user=user, kind="values", file=file, now=timezone.now())


def _plans(country):
    draft = country.plans["PN"]
    Plan.objects.filter(pk=draft.pk).update(status=PlanStatus.DRAFT, approved_at=None)
    police = country.institutions["PN"]
    before = Plan.objects.create(
        institution=police, year=MONTH.year - 1, status=PlanStatus.APPROVED, approved_at=NOW, version=1
    )
    PlanLine.objects.filter(plan=draft).update(no_target_because="agreed month by month")
    country.plans |= {"draft": draft, "approved": before}
    country.parts = {
        "perspective": Perspective.objects.filter(plan=draft).first(),
        "objective": Objective.objects.filter(plan=draft, parent=None).order_by("order").last(),
        "line": PlanLine.objects.filter(plan=draft).order_by("order").last(),
    }


def _people(country):
    pairs = [(role, code) for role in Role for code in PLACES]
    names = [*(username(*pair) for pair in pairs), "subject"]
    made = User.objects.bulk_create(
        User(username=name, first_name="Ana", last_name=name.replace(".", " "), password="!", language="es")
        for name in names
    )
    country.people |= {user.username: user for user in made}
    held = [(country.people[username(role, code)], role, country.unit(code)) for role, code in pairs]
    held.append((country.people["subject"], Role.VIEWER, country.unit(UNIT)))
    UnitUserObjectPermission.objects.bulk_create(bulk_grants(held))
