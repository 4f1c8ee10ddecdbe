"""Incidents as tables and as fields: on screen a line each, in a file a column a variable; one with its past."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from incidents.conditions import COLUMNS
from incidents.listing import Listing
from incidents.models import STAGES, Factor, Fate, Incident, PlacePrecision, Stage, Variable
from incidents.queries import described
from scorecard import wording
from units.tables import Cell, Column, Table

FILED = 20_000  # rows of a file
FACTORS = {"variables": Factor.ENVIRONMENT, "victims": Factor.VICTIM, "victimizers": Factor.VICTIMIZER}


def on_screen(incidents, user, unit_code: str) -> Table:
    """A page of incidents; each leads to its life."""
    labels = _labels()
    rows = []
    for said in described(incidents, user):
        href = f"/incidents/{unit_code}/{said['id']}/"
        at = f"{said['occurred_at']:%H:%M}" if said["occurred_at"] else ""
        rows.append(
            [
                Cell(date_format(said["occurred_on"], "SHORT_DATE_FORMAT"), href),
                at,
                said["category_name"],
                Cell(said["territory_name"] or "", note=_precision(said)),
                "; ".join(_person(person, labels, "victim") for person in said["victims"]),
                _surroundings(said["variables"], labels),
            ]
        )
    columns = [
        Column("day", _("Date")),
        Column("time", _("Time")),
        Column("category", _("Category"), narrow="key"),
        Column("place", _("Place")),
        Column("victims", _("Victims")),
        Column("surroundings", _("Surroundings")),
    ]
    return Table(_("Incidents, the latest first"), columns, rows, id="incidents")


def _precision(said: dict) -> str:
    value = PlacePrecision[said["place_precision"].upper()]
    return "" if value == PlacePrecision.POINT else str(value.label)


def _labels() -> dict[str, str]:
    return {f"{one.factor}.{one.key}": one.local_name for one in Variable.objects.all()}


def _person(person: dict, labels: dict, factor: str) -> str:
    """A person in short: sex and age first, and what else is short."""
    first = [_value(person[key]) for key in ("sex", "age") if key in person]
    return ", ".join(first) or _("nothing stated")


def _surroundings(variables: dict, labels: dict) -> str:
    wanted = ("weapon", "place", "presumed_motive", "modality")
    return "; ".join(
        f"{labels.get(f'environment.{key}', key)}: {_value(variables[key])}" for key in wanted if key in variables
    )


def _value(value: Any) -> str:
    return wording.number(value) if isinstance(value, float) else str(value)


# As a file


def as_file(listing: Listing, user, notes: list[tuple[str, str]], name: str) -> Table:
    """Up to FILED incidents with all that the person may read of them; several persons stand in one cell."""
    held = listing.page(user, FILED)
    said = described(held, user)
    labels = _labels()
    keys = [(part, key) for part in FACTORS for key in _keys(said, part)]
    columns = [
        Column("id", _("Number"), "number", 0),
        Column("day", _("Date"), "date"),
        Column("time", _("Time")),
        Column("category", _("Category")),
        Column("code", _("Code of the place")),
        Column("place", _("Place")),
        Column("longitude", _("longitude"), "number", 5),
        Column("latitude", _("latitude"), "number", 5),
        Column("source", _("Source")),
        Column("external_id", _("Identifier at the source")),
        *(Column(f"{FACTORS[part]}.{key}", _heading(part, key, labels)) for part, key in keys),
    ]
    rows = [[*_file_facts(one), *(_file_value(one[part], key) for part, key in keys)] for one in said]
    if len(held) == FILED and (every := listing.count()) > FILED:
        text = _("The latest %(n)s of %(all)s.") % {"n": FILED, "all": every}
        notes = [*notes, (_("Rows"), text)]
    return Table(_("Incidents, the latest first"), columns, rows, notes, id="incidents", name=name)


def _keys(said: list[dict], part: str) -> list[str]:
    people = (one[part] if part != "variables" else [one[part]] for one in said)
    return sorted({key for held in people for person in held for key in person})


def _heading(part: str, key: str, labels: dict) -> str:
    return f"{FACTORS[part].label}: {labels.get(f'{FACTORS[part]}.{key}', key)}"


def _file_facts(one: dict) -> list[Any]:
    at = f"{one['occurred_at']:%H:%M}" if one["occurred_at"] else ""
    names = ("territory", "territory_name", "longitude", "latitude", "source", "external_id")
    return [one["id"], one["occurred_on"], at, one["category_name"], *(one[name] for name in names)]


def _file_value(held: Any, key: str) -> Any:
    people = held if isinstance(held, list) else [held]
    found = [_value(person[key]) for person in people if key in person]
    return " | ".join(found)


# One


def day_words(said: dict) -> str:
    day = date_format(said["occurred_on"], "DATE_FORMAT")
    return f"{day}, {said['occurred_at']:%H:%M}" if said["occurred_at"] else day


def told(life: dict) -> tuple[list[tuple[str, str]], list[tuple[str, list[tuple[str, str]]]]]:
    """(facts as (term, words), people as (heading, facts))."""
    labels = _labels()
    facts = [
        (_("Number"), str(life["id"])),
        (_("Category"), life["category_name"]),
        (_("Date"), day_words(life)),
        (_("Place"), f"{life['territory_name'] or ''} ({life['territory'] or '–'})"),
        (_("Precision of the place"), str(PlacePrecision[life["place_precision"].upper()].label)),
        (_("Coordinates"), _point(life)),
        (_("Source"), life["source"]),
        (_("Identifier at the source"), life["external_id"] or ""),
    ]
    words = dict(Stage.choices)
    facts += [
        (str(words[stage.removesuffix("_at")]).capitalize(), _instant(life[stage])) for stage in STAGES if life[stage]
    ]
    facts += [(labels.get(f"environment.{key}", key), _value(value)) for key, value in life["variables"].items()]
    people = []
    for part, factor in (("victims", Factor.VICTIM), ("victimizers", Factor.VICTIMIZER)):
        for n, person in enumerate(life[part], start=1):
            heading = f"{factor.label.capitalize()} {n}"
            said = [(labels.get(f"{factor}.{key}", key), _value(value)) for key, value in person.items()]
            people.append((heading, said or [(_("Stated"), _("nothing that you may read"))]))
    return [(term, text) for term, text in facts if text], people


def _instant(at: datetime) -> str:
    """An instant in the country's time, in which the incident's day and hour are."""
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT")


def _fact(name: str, labels: dict) -> str:
    """What an account said otherwise, by name: a fact, a stage or a variable."""
    told = {
        "category": _("category"),
        "date": _("date"),
        "time": _("time"),
        "where": _("place"),
        "environment": _("surroundings"),
        "victims": _("victims"),
        "victimizers": _("victimizers"),
    }
    told |= {f"{stage.value}_at": stage.label for stage in Stage}
    told |= {column: Incident._meta.get_field(column).verbose_name for column in COLUMNS}
    return str(told.get(name) or labels.get(name, name))


def _point(said: dict) -> str:
    if said["drawn_longitude"] is None:
        return ""
    point = f"{said['drawn_latitude']:.5f}, {said['drawn_longitude']:.5f}"
    if said["is_drawn_approximately"]:
        return _("%(point)s (approximate: the middle of the place)") % {"point": point}
    return point


def revisions(life: dict) -> list[dict[str, Any]]:
    """Each earlier account: when and how it was replaced, what differed, and what it said of kind, day and place."""
    fates, labels = dict(Fate.choices), _labels()
    return [
        {
            "at": _instant(one["replaced_at"]),
            "datetime": one["replaced_at"].isoformat(),
            "fate": fates.get(one["fate"], one["fate"]),
            "by": _("a publication") if one["replaced_by"] == "publication" else _("a feed"),
            "changes": ", ".join(_fact(name, labels) for name in one["changes"]),
            "was": f"{one['category_name']}, {day_words(one)}, {one['territory_name'] or '–'}",
            "reason": one["reason"],
        }
        for one in life["revisions"]
    ]
