"""Every page of the site: who may open it, an address of it in the small country, and what is posted to it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, get_resolver, reverse

from incidents.models import Category, Variable
from tests.factories import MONTH
from tests.site.country import BLANK, CIRCUIT, CLOSED, LEAF, OF_INSTITUTION, OF_UNIT, UNIT
from units.permissions import VERBS, Permission


class About(Enum):
    """Where a permission is asked."""

    NOTHING = auto()  # open before one signs in
    ONESELF = auto()  # anyone who has signed in
    ANYWHERE = auto()  # whoever holds the permission in some unit
    UNIT = auto()  # at the unit
    INSTITUTION = auto()  # at the head of the institution; all who see one of its units know that it is there
    PLANNED = auto()  # as INSTITUTION, for those who hold the permission in some unit
    STATE = auto()  # at the head of the State
    PERSON = auto()  # in the unit where the person holds a role
    OWNER = auto()  # the one who sent a file


@dataclass(frozen=True)
class Page:
    about: About
    permission: Permission | tuple = ()
    args: Callable | tuple = ()
    query: str = ""
    post: dict | Callable | None = None  # what makes the change, beside what the form says of itself
    done: int = 302
    writes: bool = True  # into the database
    methods: tuple = ("GET",)
    is_html: bool = True
    asks: tuple = ()  # parameters of the address that it reads
    has_required: bool = False  # its form has fields that cannot be left out
    is_of_institution: bool = False  # what is posted is about the institution, and not about the unit

    @property
    def places(self):
        of_institution = self.is_of_institution or self.about in {About.INSTITUTION, About.PLANNED, About.STATE}
        return OF_INSTITUTION if of_institution else OF_UNIT

    @property
    def is_somewhere(self):
        """Whether it depends on where a role is held; else the places that are of no use to others show it best."""
        return self.about not in {About.ONESELF, About.ANYWHERE}

    @property
    def permissions(self):
        return self.permission if isinstance(self.permission, tuple) else (self.permission,)

    def address(self, name, country):
        given = self.args(country) if callable(self.args) else self.args
        return reverse(name, args=given) + (f"?{self.query}" if self.query else "")

    def data(self, country):
        given = self.post(country) if callable(self.post) else self.post
        return {"step": "confirm", "reason": "so agreed", **(given or {})}

    def expected(self, role, place):
        """The status for a person who holds the role in the place; no role at all is role None."""
        verbs = VERBS[role] if role else set()
        has, sees = bool(verbs & set(self.permissions)), bool(verbs)
        inside = place in {"inside", "above"}
        if self.about in {About.NOTHING, About.ONESELF}:
            return 200
        if self.about is About.OWNER:
            return 404
        if self.about is About.STATE:
            return 200 if has and place == "above" else 403
        if not has and self.about in {About.ANYWHERE, About.PERSON, About.PLANNED}:
            return 403
        if self.about is About.ANYWHERE:
            return 200
        if self.about in {About.UNIT, About.PERSON}:
            return 404 if not (sees and inside) else 200 if has else 403
        if not sees or place == "beside":
            return 404
        return 200 if has and (inside or self.permissions == (Permission.VIEW,)) else 403

    def may_change(self, role, place):
        """Whether what `post` says is carried out: a form that opens anywhere names a unit or an institution."""
        is_there = self.about is not About.ANYWHERE or place in {"inside", "above"} or not self.writes
        return self.expected(role, place) == 200 and is_there


P, A = Permission, About
MANAGES = (P.MANAGE_UNITS, P.MANAGE_PEOPLE, P.MANAGE_PLANS, P.MANAGE_FEEDS, P.AUDIT)
AT = f"month={MONTH:%Y-%m}"
LIST = ("q", "page", "format", "sort")
BOTH = ("GET", "POST")
EVENTS = (
    "first", "last", "category", "from_hour", "to_hour", "day", "variable", "value", "least", "most", "indicator",
    "only", "no_hour", "page", "format", "table",
)  # fmt: skip


def of_unit(permission, *more, args=(UNIT,), **options):
    return Page(A.UNIT, permission, (*args, *more), **options)


def listed(permission, *asks, **options):
    return Page(A.ANYWHERE, permission, asks=(*LIST, *asks), **options)


def changing(about, permission=(), args=(), post=None, **options):
    return Page(about, permission, args, post=post or {}, methods=BOTH, **options)


def plan(kind="draft", *more):
    return lambda country: (country.plans[kind].pk, *more)


def variable(*more):
    return lambda _country: (Variable.objects.get(factor="victim", key="sex").pk, *more)


def category(_country):
    return (Category.objects.get(code="ROBBERY").pk,)


def part(kind):
    return lambda country: (country.plans["draft"].pk, kind, country.parts[kind].pk)


def blank_cell(country):
    key = f"{country.indicators[BLANK].pk}-{country.unit(CIRCUIT).pk}"
    return {"cell": key, f"n-{key}": "5", f"w-{key}": ""}


def a_new_target(country):
    return {f"t-{country.unit(UNIT).pk}-1-value": "3"}


def a_new_plan(country):
    return {"institution": country.institutions["PN"].pk, "year": "2026"}


def a_file(country):
    return {"kind": "values", "file": SimpleUploadedFile("values.csv", b"unit,month\n")}


NEW_SHEET = {
    "code": "PN.NEW",
    "valid_from": "2024-01",
    "name": "Nuevo",
    "unit_of_measure": "casos",
    "sense": "2",
    "numerator": "Casos",
    "baseline_none_because": "it is new",
}
NEW_RULE = {"indicator": "PN.PATROLS", "measure": "events", "category": "ROBBERY", "from_month": "2023-01"}
NEW_UNIT = {"parent": UNIT, "code": "PN-NEW", "name": "Nueva", "from_month": "2023-10"}
NEW_PERSON = {"username": "new", "first_name": "Ana", "last_name": "Vera", "role": "viewer", "unit": UNIT}
NEW_ACCOUNT = {"institution": "PN", "username": "new.feed", "name": "Other system", "role": "viewer"}
NEW_INSTITUTION = {
    "code": "NEW",
    "name": "Nueva",
    "short_name": "Nueva",
    "root_code": "NEW-EC",
    "parent": "EST-EC",
    "from_month": "2023-01",
}
NEW_FEED = {
    "institution": "PN",
    "name": "arrests",
    "url": "https://feeds.example.org/arrests",
    "paging": "page",
    "every_seconds": "60",
}
ASSIGNED = {"indicator": "PN.PATROLS", "below": LEAF, "which": "self"}

PAGES = {
    # What people see
    "home": Page(A.ONESELF),
    "search": Page(A.ONESELF, query="q=zona", asks=("q",)),
    "style": Page(A.ONESELF, asks=("sort",)),
    "scorecard": of_unit(P.VIEW, query=AT, asks=("month", "by", "classes", "format", "table", "sort")),
    "card_json": of_unit(P.VIEW, query=AT, is_html=False, asks=("month", "by")),
    "map_json": of_unit(P.VIEW, query=AT, is_html=False, asks=("month", "by")),
    "atlas": of_unit(
        P.VIEW,
        query=AT,
        asks=("month", "by", "steps", "span", "drawn", "classes", "beside", "place", "format", "table"),
    ),
    "atlas_months": of_unit(P.VIEW, query=AT, is_html=False, asks=("month", "by", "steps", "classes")),
    "indicator": of_unit(P.VIEW, "PN.HOMICIDES", query=AT, asks=("month", "by", "format", "table", "sort")),
    "judgement": of_unit(
        P.ENTER,
        "PN.HOMICIDES",
        query=AT,
        post={"outlook": "3", "reason": "patrols were doubled in the port"},
        methods=BOTH,
        asks=("month",),
        has_required=True,
    ),
    "board": of_unit(P.ANALYSE, asks=("hours", "format")),
    "hotspots": of_unit(
        P.ANALYSE,
        asks=(
            "first",
            "last",
            "method",
            "category",
            "from_hour",
            "to_hour",
            "day",
            "variable",
            "value",
            "least",
            "most",
            "bandwidth",
            "cell",
            "spot",
            "near",
            "test",
            "format",
            "table",
        ),
    ),
    "hotspots_points": of_unit(P.ANALYSE, is_html=False, asks=("first", "last", "category", "variable", "value")),
    "why": of_unit(
        P.VIEW,
        "PN.HOMICIDES",
        query=AT,
        asks=("month", "against", "by", "span", "format", "table"),
    ),
    "incidents": of_unit(P.ANALYSE, asks=EVENTS),
    "profile": of_unit(P.ANALYSE, asks=(*EVENTS, "against")),
    "recent": of_unit(P.ANALYSE, asks=("last", "category", "format", "table")),
    "incident": Page(A.UNIT, P.ANALYSE, lambda country: (UNIT, country.incident)),
    "plan": Page(A.INSTITUTION, P.VIEW, plan(), asks=("format",)),
    # Figures
    "entry": of_unit(P.ENTER, query=AT, post=blank_cell, done=200, methods=BOTH, asks=("month", "below", "page")),
    "approve": of_unit(
        P.APPROVE,
        query=AT,
        post={"all": "1", "as_shown": "2040-01-01T00:00:00+00:00"},
        methods=BOTH,
        asks=("month", "indicator"),
    ),
    "imports": changing(A.ANYWHERE, (P.ENTER, P.MANAGE_PLANS), post=a_file, writes=False, is_of_institution=True),
    "import-template": Page(A.ANYWHERE, P.MANAGE_PLANS, is_html=False),
    "plan-workbook": Page(A.INSTITUTION, P.VIEW, plan(), is_html=False),
    "import": changing(A.OWNER, args=lambda country: (country.upload.token,)),
    # Units, territories and people
    "manage": Page(A.ANYWHERE, MANAGES),
    "manage-units": listed(P.MANAGE_UNITS, "in"),
    "manage-unit-open": changing(A.ANYWHERE, P.MANAGE_UNITS, post=NEW_UNIT, asks=("in",)),
    "manage-unit": of_unit(P.MANAGE_UNITS),
    "manage-unit-rename": changing(A.UNIT, P.MANAGE_UNITS, (UNIT,), {"name": "Otro"}),
    "manage-unit-move": changing(A.UNIT, P.MANAGE_UNITS, (UNIT,), {"parent": "PN-01D02", "from_month": "2023-12"}),
    "manage-unit-close": changing(A.UNIT, P.MANAGE_UNITS, (LEAF,), {"to_month": "2024-06"}),
    "manage-unit-reopen": changing(A.UNIT, P.MANAGE_UNITS, (CLOSED,), {"from_month": "2024-09"}),
    "manage-institution-open": changing(A.STATE, P.MANAGE_UNITS, (), NEW_INSTITUTION),
    "manage-institution": changing(A.INSTITUTION, P.MANAGE_UNITS, ("PN",), {"name": "Otro"}),
    "manage-territories": listed(P.MANAGE_UNITS, "level"),
    "manage-territory": Page(A.ANYWHERE, P.MANAGE_UNITS, ("01D01",), asks=("format",)),
    "manage-people": listed(P.MANAGE_PEOPLE, "role"),
    "manage-person-new": changing(A.ANYWHERE, P.MANAGE_PEOPLE, (), NEW_PERSON, asks=("in",)),
    "manage-person": Page(A.PERSON, P.MANAGE_PEOPLE, ("subject",)),
    "manage-person-edit": changing(A.PERSON, P.MANAGE_PEOPLE, ("subject",), {"title": "Cabo"}),
    "manage-person-active": changing(A.PERSON, P.MANAGE_PEOPLE, ("subject",)),
    "manage-person-password": changing(A.PERSON, P.MANAGE_PEOPLE, ("subject",), done=200),
    "manage-person-grant": changing(
        A.PERSON, P.MANAGE_PEOPLE, ("subject",), {"role": "viewer", "unit": CIRCUIT}, asks=("in",)
    ),
    "manage-person-revoke": changing(A.PERSON, P.MANAGE_PEOPLE, ("subject", "viewer", UNIT)),
    "manage-accounts": listed(P.MANAGE_PEOPLE),
    "manage-account-new": changing(A.ANYWHERE, P.MANAGE_PEOPLE, (), NEW_ACCOUNT, is_of_institution=True),
    "manage-account": Page(A.INSTITUTION, P.MANAGE_PEOPLE, ("feed.pn",)),
    "manage-account-token": changing(
        A.INSTITUTION, P.MANAGE_PEOPLE, ("feed.pn",), {"name": "other server", "days": "30"}, done=200
    ),
    "manage-account-revoke": changing(A.INSTITUTION, P.MANAGE_PEOPLE, lambda country: ("feed.pn", country.token.pk)),
    # Sheets, assignments, targets and plans
    "manage-sheets": listed(P.MANAGE_PLANS),
    "manage-sheet-new": changing(
        A.PLANNED, P.MANAGE_PLANS, (), NEW_SHEET, query="institution=PN", asks=("institution",)
    ),
    "manage-sheet-formula": Page(
        A.ANYWHERE,
        P.MANAGE_PLANS,
        query="formula=PN.HOMICIDES",
        is_html=False,
        asks=("formula", "valid_from", "of", "code"),
    ),
    "manage-sheet": Page(A.INSTITUTION, P.MANAGE_PLANS, ("PN.HOMICIDES",), asks=("version",)),
    "manage-sheet-version": changing(
        A.INSTITUTION, P.MANAGE_PLANS, ("PN.PATROLS",), {"valid_from": "2024-01", "name": "Otro"}
    ),
    "manage-sheet-correct": changing(A.INSTITUTION, P.MANAGE_PLANS, ("PN.PATROLS",), {"name": "Otro"}),
    "manage-sheet-end": changing(A.INSTITUTION, P.MANAGE_PLANS, ("PN.PATROLS",), {"valid_to": "2025-01"}),
    "manage-event-rules": Page(A.ANYWHERE, P.MANAGE_PLANS, asks=("format",)),
    "manage-event-rule-new": changing(A.ANYWHERE, P.MANAGE_PLANS, (), NEW_RULE, is_of_institution=True),
    "manage-event-rule-end": changing(
        A.INSTITUTION, P.MANAGE_PLANS, lambda country: (country.event_rule.pk,), {"to_month": "2023-10"}
    ),
    # The dictionary of events
    "manage-variables": Page(A.ANYWHERE, P.MANAGE_PLANS, asks=("q", "factor", "kind", "sensitivity", "format")),
    "manage-variable-new": changing(
        A.STATE, P.MANAGE_PLANS, (), {"factor": "victim", "kind": "category", "key": "mood", "name": "Ánimo"}
    ),
    "manage-variable": Page(A.ANYWHERE, P.MANAGE_PLANS, variable(), asks=("q", "page", "format")),
    "manage-variable-edit": changing(A.STATE, P.MANAGE_PLANS, variable(), {"name": "Otro"}),
    "manage-variable-retire": changing(A.STATE, P.MANAGE_PLANS, variable()),
    "manage-variable-code-new": changing(A.STATE, P.MANAGE_PLANS, variable(), {"name": "Otro más"}),
    "manage-variable-code": changing(A.STATE, P.MANAGE_PLANS, variable(1), {"name": "Otro"}),
    "manage-variable-code-retire": changing(A.STATE, P.MANAGE_PLANS, variable(1)),
    "manage-categories": Page(A.ANYWHERE, P.MANAGE_PLANS, asks=("q", "format")),
    "manage-category-new": changing(A.STATE, P.MANAGE_PLANS, (), {"code": "NOISE", "name": "Ruido"}),
    "manage-category": changing(A.STATE, P.MANAGE_PLANS, category, {"name": "Otro"}),
    # Feeds
    "manage-feeds": listed(P.MANAGE_FEEDS, "state"),
    "manage-feed-new": changing(A.ANYWHERE, P.MANAGE_FEEDS, (), NEW_FEED, is_of_institution=True),
    "manage-feed": Page(A.INSTITUTION, P.MANAGE_FEEDS, ("calls",)),
    "manage-feed-edit": changing(A.INSTITUTION, P.MANAGE_FEEDS, ("calls",), {"every_seconds": "90"}),
    "manage-feed-secret": changing(A.INSTITUTION, P.MANAGE_FEEDS, ("calls",), {"secret": "Bearer 1"}),
    "manage-feed-active": changing(A.INSTITUTION, P.MANAGE_FEEDS, ("calls",)),
    "manage-feed-restart": changing(A.INSTITUTION, P.MANAGE_FEEDS, ("calls",)),
    "manage-feed-run": Page(A.INSTITUTION, P.MANAGE_FEEDS, ("calls",), post={}, methods=("POST",)),
    "manage-dead-letters": changing(
        A.ANYWHERE,
        P.MANAGE_FEEDS,
        (),
        lambda country: {"letter": country.letter.pk, "do": "dismiss"},
        is_of_institution=True,
        asks=(*LIST, "state", "rule", "feed"),
    ),
    "manage-dead-letter": Page(A.INSTITUTION, P.MANAGE_FEEDS, lambda country: (country.letter.pk,)),
    "manage-assignments": listed(P.MANAGE_PLANS, "indicator"),
    "manage-assign": changing(
        A.ANYWHERE,
        P.MANAGE_PLANS,
        (),
        {**ASSIGNED, "below": UNIT, "from_month": "2023-01"},
        asks=("indicator", "below"),
    ),
    "manage-assignments-end": changing(
        A.ANYWHERE, P.MANAGE_PLANS, (), {**ASSIGNED, "to_month": "2024-01"}, asks=("indicator", "below")
    ),
    "manage-targets": changing(
        A.ANYWHERE,
        P.MANAGE_PLANS,
        (),
        a_new_target,
        query=f"indicator=PN.HOMICIDES&unit={UNIT}&of=unit&year=2023",
        asks=("indicator", "unit", "of", "year"),
    ),
    "manage-plans": Page(A.ANYWHERE, P.MANAGE_PLANS, asks=("format",)),
    "manage-plan-new": changing(A.ANYWHERE, P.MANAGE_PLANS, (), a_new_plan, asks=("copy",), is_of_institution=True),
    "manage-plan": Page(A.INSTITUTION, P.MANAGE_PLANS, plan()),
    "manage-plan-weights": changing(A.INSTITUTION, P.MANAGE_PLANS, plan(), asks=("under",)),
    "plan-approve": changing(A.INSTITUTION, P.APPROVE, plan()),
    "manage-plan-reopen": changing(A.INSTITUTION, P.MANAGE_PLANS, plan("approved")),
    "manage-plan-add": changing(
        A.INSTITUTION, P.MANAGE_PLANS, plan("draft", "perspective"), {"name": "Otra"}, asks=("under",)
    ),
    "manage-plan-part": changing(A.INSTITUTION, P.MANAGE_PLANS, part("perspective"), {"name": "Otra"}),
    "manage-plan-remove": changing(A.INSTITUTION, P.MANAGE_PLANS, part("line")),
    "manage-plan-move": Page(A.INSTITUTION, P.MANAGE_PLANS, part("objective"), post={"to": "up"}, methods=("POST",)),
    "audit": Page(
        A.ANYWHERE, P.AUDIT, asks=("page", "format", "model", "q", "person", "first", "last", "without_counts")
    ),
    # One's own account
    "login": Page(A.NOTHING, asks=("next",)),
    "logout": Page(A.NOTHING, methods=("POST",)),
    "set_language": Page(A.NOTHING, methods=("POST",)),
    "password_change": Page(A.ONESELF),
    "password_change_done": Page(A.ONESELF),
    "password_reset_confirm": Page(A.NOTHING, (), ("MQ", "no-token")),
    "password_reset_complete": Page(A.NOTHING),
}


def addresses_of_the_site():
    """Names of all addresses; an address without a name as its pattern. Those for machines: tests/api has them."""

    def walk(patterns):
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield pattern.name or str(pattern.pattern)
            elif str(pattern.pattern) != "api/v1/":
                yield from walk(pattern.url_patterns)

    return list(walk(get_resolver().url_patterns))


def shown_pages():
    """Pages that people read in a browser, by name."""
    return {name: page for name, page in PAGES.items() if page.is_html and "GET" in page.methods}
