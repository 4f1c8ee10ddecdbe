"""The frame of the sample country into the database: places, units, people, sheets, plans and event rules.

Codes are the keys: what is there already (territories imported from files) stays as it is and is used.
"""

import re
from collections import defaultdict
from dataclasses import asdict
from datetime import date

import numpy as np
from django.db import connection

from incidents.dictionary import ensure
from incidents.models import AlertClass, Category, EventRule, Measure, Stage
from indicators.models import Assignment, Indicator, SheetVersion
from scorecard.models import Objective, Perspective, Plan, PlanLine, PlanStatus
from scorecard.sample import boundaries, figures, institutions, plans, recent, sheets, territories
from units.models import Boundary, Institution, Population, Territory, Unit, UnitPeriod, UnitUserObjectPermission, User
from units.permissions import bulk_grants
from units.pgcopy import Column, copy_in

OPENED = sheets.FIRST_MONTH  # everything stands from the sample's first month
TIMES = {"ECU.RESPONSE": Measure.MEDIAN, "ECU.RESPONSE90": Measure.P90}
REAL = [{"field": "alert_class", "in": [AlertClass.NORMAL]}]  # no malicious call, enquiry or error
HOMICIDES = ("PN.HOMICIDES", "PN.HOMICIDERATE")
PUBLISHER = institutions.MINISTRY  # of the file of homicides
NO_TARGETS = "Nadie ha fijado metas en este país de prueba."
NO_BASELINE = "El país se cargó sin cifras de años anteriores."


def new_ids(model, count):
    """The next ids of a model's sequence, so that rows may point at one another before they are written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


# Where ---------------------------------------------------------------------------------------------------------------


def add_places():
    """Territories that are not there yet, parents before children. Returns {code: id} of all."""
    known = dict(Territory.objects.values_list("code", "pk"))
    missing = [place for place in territories.country().places if place.code not in known]
    known |= dict(zip((place.code for place in missing), new_ids(Territory, len(missing)), strict=True))
    Territory.objects.bulk_create(
        Territory(
            pk=known[place.code], code=place.code, name=place.name, name_en=place.name_en, level=place.level,
            parent_id=known.get(place.parent), is_delimited=place.is_delimited,
            latitude=place.latitude, longitude=place.longitude,
        )
        for place in missing
    )  # fmt: skip
    return known


def add_boundaries(places):
    """The schematic boundaries that the project draws itself."""
    Boundary.objects.bulk_create(
        Boundary(
            territory_id=places[code], valid_from=OPENED, geometry=geometry, source=boundaries.SOURCE, is_schematic=True
        )
        for code, geometry in boundaries.boundaries().items()
    )


def add_population(places, years):
    rows = territories.population(years)
    ids = np.array([places[place.code] for place in territories.country().places])
    columns = [
        Column("int4", ids[rows["place"]]),
        Column("int2", rows["year"]),
        Column("int4", rows["people"]),
        Column("text", territories.SOURCE_POPULATION),
    ]
    with connection.cursor() as cursor:
        names = ("territory_id", "year", "people", "source")
        copy_in(cursor, Population._meta.db_table, names, columns, len(rows))


# Who -----------------------------------------------------------------------------------------------------------------


def add_units(places):
    """Institutions with their trees, all open from the first month. Returns {institution code: Institution}."""
    bodies = Institution.objects.bulk_create(Institution(**asdict(one)) for one in institutions.INSTITUTIONS)
    bodies = {body.code: body for body in bodies}
    made = {}
    for pk, unit in zip(new_ids(Unit, len(institutions.units())), institutions.units(), strict=True):
        above = made.get(unit.parent)
        made[unit.code] = Unit(
            pk=pk, institution=bodies[unit.institution], code=unit.code, name=unit.name, name_en=unit.name_en,
            parent=above, territory_id=places[unit.place], path=[*(above.path if above else []), pk],
        )  # fmt: skip
    Unit.objects.bulk_create(made.values())
    UnitPeriod.objects.bulk_create(
        UnitPeriod(
            unit=unit, institution_id=unit.institution_id, parent_id=unit.parent_id, territory_id=unit.territory_id,
            from_month=OPENED,
        )
        for unit in made.values()
    )  # fmt: skip
    return bodies


def add_people(password):
    """The invented people and the roles they hold, with a password's hash (unusable: nobody can sign in)."""
    people = User.objects.bulk_create(
        User(
            username=one.username, first_name=one.first_name, last_name=one.last_name, title=one.title,
            language=one.language, password=password,
        )
        for one in institutions.PEOPLE
    )  # fmt: skip
    by_name = {person.username: person for person in people}
    held = [(by_name[one.username], role, code) for one in institutions.PEOPLE for role, code in one.grants]
    units = Unit.objects.in_bulk({code for _, _, code in held}, field_name="code")
    UnitUserObjectPermission.objects.bulk_create(bulk_grants((who, role, units[code]) for who, role, code in held))
    return by_name


# What is measured ----------------------------------------------------------------------------------------------------

APART = {"code", "institution", "levels", "responsible", "approver"}
SIMULATED = re.compile(r" \([^)]*simulado\)")


def add_indicators(bodies):
    """Indicators in the order of the sheets."""
    Indicator.objects.bulk_create(
        Indicator(code=sheet.code, institution=bodies[sheet.institution]) for sheet in sheets.SHEETS
    )


def add_sheets(people, baselines=None):
    """The sheet of each indicator. baselines: {code: value}, None where no figures are simulated."""
    indicators = Indicator.objects.in_bulk(field_name="code")
    SheetVersion.objects.bulk_create(
        SheetVersion(
            indicator=indicators[sheet.code],
            responsible=people[sheet.responsible],
            approver=people[sheet.approver],
            **{name: value for name, value in asdict(sheet).items() if name not in APART} | _origin(sheet, baselines),
        )
        for sheet in sheets.SHEETS
    )


def _origin(sheet, baselines):
    """Where a sheet's figures and its baseline come from; without simulated ones it does not say "simulado"."""
    if baselines is None:
        sources = {name: SIMULATED.sub("", getattr(sheet, name)) for name in ("numerator_source", "denominator_source")}
        return {"baseline_none_because": NO_BASELINE, **sources}
    on = date(sheet.valid_from.year, 12, 1)
    return {"baseline_value": baselines[sheet.code], "baseline_on": on, "baseline_source": figures.SOURCE}


def reporters():
    """What is due of whom: (indicator, unit) as positions, (A,) each. Nothing is entered for what is not delimited."""
    delimited = {place.code for place in territories.country().places if place.is_delimited}
    found = [
        (position, at)
        for position, sheet in enumerate(sheets.SHEETS)
        for at, unit in enumerate(institutions.units())
        if unit.institution == sheet.institution and unit.level in sheet.levels
        and (unit.place in delimited or not sheet.is_entered)
    ]  # fmt: skip
    return np.array(found, np.int64).T


def add_assignments(indicators, units):
    """Due from the first month of each sheet. indicators, units: positions, (A,)."""
    indicator_ids, unit_ids = keys()
    starts = np.array([sheet.valid_from for sheet in sheets.SHEETS], "M8[D]")
    columns = [
        Column("int4", indicator_ids[indicators]),
        Column("int4", unit_ids[units]),
        Column("date", starts[indicators]),
    ]
    with connection.cursor() as cursor:
        copy_in(cursor, Assignment._meta.db_table, ("indicator_id", "unit_id", "from_month"), columns, len(indicators))


def keys():
    """Ids of the indicators and of the units, in the order of `SHEETS` and of `units()`: two arrays."""
    indicators = dict(Indicator.objects.values_list("code", "pk"))
    units = dict(Unit.objects.values_list("code", "pk"))
    return (
        np.array([indicators[sheet.code] for sheet in sheets.SHEETS], np.int64),
        np.array([units[unit.code] for unit in institutions.units()], np.int64),
    )


def add_event_rules(bodies, since=None):
    """Homicides and their rate are counted from the Ministry's file; from the month `since` on from the police's feed,
    and so are robberies, and emergencies from their service's."""
    ensure()
    ids = dict(Category.objects.values_list("code", "pk"))
    indicators = Indicator.objects.in_bulk(field_name="code")
    published = [
        EventRule(
            indicator=indicators[code], measure=Measure.VICTIMS, category_id=ids["HOMICIDE"], source=bodies[PUBLISHER],
            from_month=OPENED, to_month=since,
        )
        for code in HOMICIDES
    ]  # fmt: skip
    fed = [
        EventRule(
            indicator=indicators[code], source=bodies[sheets.SHEETS[sheets.POSITION[code]].institution],
            from_month=since, **_counted(code, ids),
        )
        for code in recent.COUNTED
        if since
    ]  # fmt: skip
    EventRule.objects.bulk_create([*published, *fed])


def _counted(code, ids):
    """What an indicator counts of the events of feeds."""
    if code in HOMICIDES:
        return {"measure": Measure.VICTIMS, "category_id": ids["HOMICIDE"]}
    if code in recent.ROBBERY_CODES:
        return {"measure": Measure.EVENTS, "category_id": ids[code.removeprefix("PN.")]}
    if code in TIMES:
        stages = {"from_stage": Stage.RECEIVED, "to_stage": Stage.ARRIVED}
        return {"measure": TIMES[code], "category_id": ids["EMERGENCY"], **stages}
    return {"measure": Measure.EVENTS, "category_id": ids["EMERGENCY.SECURITY"], "filter": REAL}


# What is promised ----------------------------------------------------------------------------------------------------


def add_plans(bodies, *, years, approved_by=None, now=None):
    """Every institution's plan of these years: approved by this person, or drafts that say why they lack targets."""
    status = PlanStatus.APPROVED if approved_by else PlanStatus.DRAFT
    wanted = plans.plans(years)
    made = Plan.objects.bulk_create(
        Plan(
            institution=bodies[plan.institution], year=plan.year, status=status, approved_by=approved_by,
            approved_at=now if approved_by else None,
        )
        for plan in wanted
    )  # fmt: skip
    pairs = list(zip(made, wanted, strict=True))
    perspectives = _perspectives(pairs)
    objectives = _objectives(pairs, perspectives)
    indicators = dict(Indicator.objects.values_list("code", "pk"))
    reasons = {} if approved_by else {"no_target_because": NO_TARGETS, "no_baseline_because": NO_BASELINE}
    PlanLine.objects.bulk_create(
        PlanLine(
            plan=plan, objective_id=objectives[plan.pk][key], indicator_id=indicators[code], weight=weight, order=order,
            **reasons,
        )
        for plan, sample in pairs
        for order, (key, code, weight) in enumerate(sample.lines)
    )  # fmt: skip


def _perspectives(pairs):
    made = Perspective.objects.bulk_create(
        Perspective(plan=plan, name=plans.PERSPECTIVES[key][0], name_en=plans.PERSPECTIVES[key][1], order=order)
        for plan, sample in pairs
        for order, key in enumerate(sample.perspectives)
    )
    names = [(plan.pk, key) for plan, sample in pairs for key in sample.perspectives]
    return dict(zip(names, made, strict=True))


def _objectives(pairs, perspectives):
    """Objectives, the State's first since others contribute to them. Returns {plan id: {key: objective id}}."""
    ids = iter(new_ids(Objective, sum(len(sample.objectives) for _, sample in pairs)))
    found = defaultdict(dict)
    for plan, sample in pairs:
        found[plan.pk] = {objective.key: next(ids) for objective in sample.objectives}
    state = {sample.year: found[plan.pk] for plan, sample in pairs if sample.institution == institutions.STATE}
    same = ("verb", "what", "what_en", "means", "means_en", "weight")
    Objective.objects.bulk_create(
        Objective(
            pk=found[plan.pk][one.key], plan=plan, parent_id=found[plan.pk].get(one.parent), order=order,
            perspective=perspectives[plan.pk, one.perspective],
            contributes_to_id=state[sample.year][one.contributes_to] if one.contributes_to else None,
            **{name: getattr(one, name) for name in same},
        )
        for plan, sample in pairs
        for order, one in enumerate(sample.objectives)
    )  # fmt: skip
    return found
