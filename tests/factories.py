"""A small country with everything in it, quickly: for tests of pages, permissions and exports."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np
from django.db import connection, transaction

from indicators import bulk
from indicators.codes import LightBy, Rule, Sense
from indicators.models import Assignment, Denominator, Indicator, SheetVersion
from scorecard.models import Objective, Perspective, Plan, PlanLine, PlanStatus
from scorecard.refresh import refresh
from units.models import (
    Boundary,
    Institution,
    Level,
    Population,
    Territory,
    Unit,
    UnitPeriod,
    UnitUserObjectPermission,
    User,
)
from units.permissions import Role, bulk_grants

MONTH = date(2023, 10, 1)
NOW = datetime(2023, 11, 20, 15, 0, tzinfo=UTC)
SINCE = date(2020, 1, 1)
LEVELS = (Level.NATION, Level.ZONE, Level.DISTRICT, Level.CIRCUIT)


@dataclass
class Country:
    """What `small_country` made. units by code; indicators by code; people by role, and "minister"; month: the last."""

    month: date
    months: list
    institutions: dict = field(default_factory=dict)
    territories: dict = field(default_factory=dict)
    units: dict = field(default_factory=dict)
    indicators: dict = field(default_factory=dict)
    plans: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)

    def unit(self, code):
        return self.units[code]

    @property
    def circuit_population(self):
        """People in each circuit: all are of one size."""
        return Population.objects.filter(territory__level=Level.CIRCUIT).first().people

    @property
    def reporting(self):
        """Units of the police without any below: they report."""
        parents = {unit.parent_id for unit in self.units.values()}
        return [u for u in self.units.values() if u.code.startswith("PN-") and u.pk not in parents]


def small_country(*, zones=2, districts=2, circuits=2, months=14, last=MONTH, cards=True, missing=0.04):
    """State and police: nation > zones > districts > circuits, and a zone that is not delimited. Plans of the
    last year, figures of `months` months up to `last` (the last provisional, some missing), targets, people."""
    country = Country(last, [_month_before(last, n) for n in range(months - 1, -1, -1)])
    _places(country, zones, districts, circuits)
    _units(country)
    _sheets(country)
    _plans(country)
    _figures(country, missing)
    _people(country)
    if cards:
        make_cards(country)
    return country


def make_cards(country):
    """Cards of all months, the State's after those it cites."""
    refresh(now=NOW)


def _month_before(month, n):
    years, index = divmod(month.year * 12 + month.month - 1 - n, 12)
    return date(years, index + 1, 1)


# Who and where -------------------------------------------------------------------------------------------------------


def _places(country, zones, districts, circuits):
    """Squares in squares: the nation is zones wide, a zone districts high, a district circuits wide."""
    made = [("EC", "Ecuador", None, Level.NATION, (-81.0, -5.0, -75.0, 1.0))]
    for z in range(1, zones + 1):
        zone = _part(made[0][4], z - 1, zones, 0)
        made.append((f"Z{z}", f"Zona {z}", "EC", Level.ZONE, zone))
        for d in range(1, districts + 1):
            code, box = f"{z:02}D{d:02}", _part(zone, d - 1, districts, 1)
            made.append((code, f"Distrito {z}.{d}", f"Z{z}", Level.DISTRICT, box))
            for c in range(1, circuits + 1):
                part = _part(box, c - 1, circuits, 0)
                made.append((f"{code}C{c:02}", f"Circuito {z}.{d}.{c}", code, Level.CIRCUIT, part))
    made.append(("Z0", "Zona no delimitada", "EC", Level.ZONE, None))
    for level in LEVELS:
        of_level = [
            Territory(
                code=code,
                name=name,
                name_en=name.replace("Zona no delimitada", "Not delimited zone").replace("Zona", "Zone"),
                level=level,
                parent=country.territories.get(parent),
                is_delimited=box is not None,
            )
            for code, name, parent, at, box in made
            if at == level
        ]
        country.territories |= {t.code: t for t in Territory.objects.bulk_create(of_level)}
    boxes = {code: box for code, *_, box in made if box}
    Boundary.objects.bulk_create(
        Boundary(
            territory=country.territories[code],
            valid_from=SINCE,
            geometry=_square(box),
            source="drawn for tests",
            is_schematic=True,
        )
        for code, box in boxes.items()
    )
    Population.objects.bulk_create(
        Population(territory=country.territories[code], year=year, people=_people_in(box), source="made up")
        for code, box in boxes.items()
        for year in sorted({month.year for month in country.months})
    )


def _part(box, n, of, axis):
    low, high = box[axis], box[axis + 2]
    size = (high - low) / of
    part = list(box)
    part[axis], part[axis + 2] = low + n * size, low + (n + 1) * size
    return tuple(part)


def _square(box):
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _people_in(box):
    return int(16_000_000 * (box[2] - box[0]) * (box[3] - box[1]) / 36)


def _units(country):
    country.institutions = {
        one.code: one
        for one in Institution.objects.bulk_create(
            [
                Institution(code="EST", name="Estado", name_en="State", short_name="Estado", is_state=True),
                Institution(code="PN", name="Policía Nacional", name_en="National Police", short_name="Policía"),
            ]
        )
    }
    wanted = [("EST", "EC", None), *(("EST", t.code, "EST-EC") for t in _zones(country)), ("PN", "EC", "EST-EC")]
    for territory in country.territories.values():
        if territory.parent is not None:
            wanted.append(("PN", territory.code, f"PN-{territory.parent.code}"))
    ids = _next_ids("units_unit", len(wanted))
    made = {}
    for pk, (institution, place, parent) in zip(ids, wanted, strict=True):
        above, territory = made.get(parent), country.territories[place]
        root = country.institutions[institution]
        names = (root.name, root.name_en) if place == "EC" else (territory.name, territory.name_en)
        made[f"{institution}-{place}"] = Unit(
            pk=pk,
            institution=root,
            code=f"{institution}-{place}",
            name=names[0],
            name_en=names[1],
            parent=above,
            territory=territory,
            path=[*(above.path if above else []), pk],
        )
    Unit.objects.bulk_create(made.values())
    UnitPeriod.objects.bulk_create(
        UnitPeriod(
            unit=u, institution=u.institution, parent=u.parent, territory=u.territory, from_month=SINCE, to_month=None
        )
        for u in made.values()
    )
    country.units = made


def _zones(country):
    return [t for t in country.territories.values() if t.level == Level.ZONE and t.is_delimited]


def _next_ids(table, count):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return [row[0] for row in cursor.fetchall()]


# What is promised ----------------------------------------------------------------------------------------------------

SHEETS = {
    "PN.HOMICIDES": {
        "name": "Homicidios intencionales",
        "name_en": "Intentional homicides",
        "unit_of_measure": "víctimas",
        "unit_of_measure_en": "victims",
        "numerator": "Víctimas",
        "sense": Sense.LOWER,
        "is_count": True,
        "is_entered": True,
    },
    "PN.HOMICIDERATE": {
        "name": "Tasa de homicidios",
        "name_en": "Homicide rate",
        "unit_of_measure": "por 100.000",
        "unit_of_measure_en": "per 100,000",
        "numerator": "Víctimas",
        "denominator": "Población",
        "denominator_kind": Denominator.POPULATION,
        "sense": Sense.LOWER,
        "scale": 100_000,
        "decimals": 2,
        "over_units": Rule.RATIO,
        "over_time": Rule.RATIO,
        "denominator_over_time": Rule.LAST,
    },
    "PN.SOLVED": {
        "name": "Casos resueltos",
        "name_en": "Cases solved",
        "unit_of_measure": "%",
        "unit_of_measure_en": "%",
        "numerator": "Casos resueltos",
        "denominator": "Casos",
        "denominator_kind": Denominator.REPORTED,
        "sense": Sense.HIGHER,
        "scale": 100,
        "decimals": 1,
        "over_units": Rule.RATIO,
        "over_time": Rule.RATIO,
        "is_entered": True,
    },
    "PN.RESPONSE": {
        "name": "Tiempo de respuesta",
        "name_en": "Response time",
        "unit_of_measure": "minutos",
        "unit_of_measure_en": "minutes",
        "numerator": "Minutos",
        "sense": Sense.WITHIN,
        "tolerance": 4.0,
        "decimals": 1,
        "over_units": Rule.MEAN,
        "over_time": Rule.MEAN,
        "is_entered": True,
    },
    "PN.PATROLS": {
        "name": "Patrulleros operativos",
        "name_en": "Patrol cars in service",
        "unit_of_measure": "patrulleros",
        "unit_of_measure_en": "cars",
        "numerator": "Patrulleros",
        "sense": Sense.HIGHER,
        "over_time": Rule.LAST,
        "light_by": LightBy.MONTH,
        "is_entered": True,
    },
    "EST.AGREEMENTS": {
        "name": "Acuerdos cumplidos",
        "name_en": "Agreements kept",
        "unit_of_measure": "acuerdos",
        "unit_of_measure_en": "agreements",
        "numerator": "Acuerdos",
        "sense": Sense.HIGHER,
        "light_by": LightBy.MONTH,
        "is_entered": True,
    },
}


def _sheets(country):
    made = Indicator.objects.bulk_create(
        Indicator(code=code, institution=country.institutions[code.split(".")[0]]) for code in SHEETS
    )
    country.indicators = {one.code: one for one in made}
    SheetVersion.objects.bulk_create(
        SheetVersion(
            indicator=country.indicators[code],
            version=1,
            valid_from=SINCE,
            baseline_none_because="no earlier figures",
            **about,
        )
        for code, about in SHEETS.items()
    )
    due = [(code, unit) for code in SHEETS if code.startswith("PN.") for unit in country.reporting]
    due = [(c, u) for c, u in due if not (c == "PN.HOMICIDERATE" and u.code == "PN-Z0")]
    due.append(("EST.AGREEMENTS", country.units["EST-EC"]))
    Assignment.objects.bulk_create(
        Assignment(indicator=country.indicators[code], unit=unit, from_month=SINCE) for code, unit in due
    )


PLANS = {
    "PN": [
        ("1", "reduce", "los homicidios", "homicides", "patrullaje en zonas calientes", "patrols in hot spots", 60,
         [("PN.HOMICIDES", 50), ("PN.HOMICIDERATE", 50)]),
        ("2", "increase", "la respuesta", "response", "mejor servicio", "better service", 40, []),
        ("2.1", "increase", "los casos resueltos", "cases solved", "investigación", "investigation", 70,
         [("PN.SOLVED", 100)]),
        ("2.2", "reduce", "el tiempo de respuesta", "response time", "más patrullas", "more patrols", 30,
         [("PN.RESPONSE", 60), ("PN.PATROLS", 40)]),
    ],
    "EST": [
        ("1", "reduce", "la violencia", "violence", "acción conjunta", "joint action", 80,
         [("PN.HOMICIDERATE", 70), ("PN.SOLVED", 30)]),
        ("2", "increase", "la coordinación", "coordination", "acuerdos", "agreements", 20, [("EST.AGREEMENTS", 100)]),
    ],
}  # fmt: skip


def _plans(country):
    for institution, objectives in PLANS.items():
        plan = Plan.objects.create(
            institution=country.institutions[institution],
            year=country.month.year,
            version=3,
            status=PlanStatus.APPROVED,
            approved_at=NOW,
        )
        country.plans[institution] = plan
        perspective = Perspective.objects.create(plan=plan, name="Ciudadanía", name_en="Citizens", order=1)
        made, lines = {}, []
        for order, (key, verb, what, what_en, means, means_en, weight, held) in enumerate(objectives):
            made[key] = Objective.objects.create(
                plan=plan,
                parent=made.get(key.rpartition(".")[0]),
                perspective=perspective,
                verb=verb,
                what=what,
                what_en=what_en,
                means=means,
                means_en=means_en,
                weight=weight,
                order=order,
            )
            for code, share in held:
                line = PlanLine(
                    plan=plan,
                    objective=made[key],
                    indicator=country.indicators[code],
                    weight=share,
                    order=len(lines),
                    no_baseline_because="no earlier figures",
                )
                lines.append(line)
        PlanLine.objects.bulk_create(lines)


# What was measured ---------------------------------------------------------------------------------------------------


def _figures(country, missing):
    """Numbers that put lights of every colour on the pages, the same at each run."""
    rng = np.random.default_rng(7)
    columns, targets = [], []
    rate = 9e5 / country.circuit_population
    for unit in country.reporting:
        homicides = rng.poisson(9, len(country.months)).astype(float)
        cases = rng.integers(40, 90, len(country.months)).astype(float)
        said = {
            "PN.HOMICIDES": (homicides, None, (9.0, None)),
            "PN.HOMICIDERATE": (homicides, None, (rate, None)),
            "PN.SOLVED": (np.floor(cases * rng.uniform(0.3, 0.7, len(cases))), cases, (50.0, None)),
            "PN.RESPONSE": (np.round(rng.uniform(6, 13, len(cases)), 1), None, (6.0, 10.0)),
            "PN.PATROLS": (rng.integers(6, 12, len(cases)).astype(float), None, (8.0, None)),
        }
        if unit.code == "PN-Z0":
            said.pop("PN.HOMICIDERATE")
        columns += [(code, unit, numerator, denominator) for code, (numerator, denominator, _) in said.items()]
        targets += [(code, unit, *promise) for code, (_, _, promise) in said.items()]
    agreements = rng.integers(5, 9, len(country.months)).astype(float)
    columns.append(("EST.AGREEMENTS", country.units["EST-EC"], agreements, None))
    targets.append(("EST.AGREEMENTS", country.units["EST-EC"], 7.0, None))
    _write_figures(country, columns, rng, missing)
    _write_targets(country, targets)


def _keys(country, pairs):
    months = np.tile(np.array(country.months, "datetime64[M]"), len(pairs))
    each = len(country.months)
    indicators = np.repeat([country.indicators[code].pk for code, _ in pairs], each)
    units = np.repeat([unit.pk for _, unit in pairs], each)
    return months, indicators, units


def _write_figures(country, columns, rng, missing):
    keys = _keys(country, [(code, unit) for code, unit, *_ in columns])
    numerators = np.concatenate([numerator for _, _, numerator, _ in columns])
    blank = np.full(len(country.months), np.nan)
    denominators = np.concatenate([blank if d is None else d for *_, d in columns])
    sent = rng.random(len(numerators)) >= missing
    last = keys[0] == np.datetime64(country.month, "M")
    about = {"source": "test", "batch_id": None, "recorded_by_id": None, "recorded_at": NOW}
    for is_last in (False, True):
        rows = np.flatnonzero(sent & (last == is_last))
        said = [numerators[rows], denominators[rows], np.ones(len(rows), np.int16)]
        with transaction.atomic():
            bulk.write(
                bulk.FIGURES,
                [key[rows] for key in keys],
                said,
                np.zeros(len(rows), bool),
                {**about, "is_provisional": is_last},
            )


def _write_targets(country, targets):
    keys = _keys(country, [(code, unit) for code, unit, *_ in targets])
    each, none = len(country.months), np.nan
    low = np.repeat([none if high is None else value for _, _, value, high in targets], each)
    high = np.repeat([none if high is None else high for *_, high in targets], each)
    value = np.repeat([value if high is None else none for _, _, value, high in targets], each)
    said = [value, low, high, np.full(len(value), none)]
    about = {"batch_id": None, "recorded_by_id": None, "recorded_at": NOW}
    with transaction.atomic():
        bulk.write(bulk.TARGETS, keys, said, np.zeros(len(value), bool), about)


# People --------------------------------------------------------------------------------------------------------------

PLACES = {
    Role.REPORTER: "PN-01D01C01",
    Role.APPROVER: "PN-01D01",
    Role.VIEWER: "PN-Z1",
    Role.ANALYST: "PN-Z1",
    Role.UNIT_ADMINISTRATOR: "PN-Z1",
    Role.AUDITOR: "PN-EC",
    Role.INTEGRATOR: "PN-EC",
    Role.ADMINISTRATOR: "PN-EC",
}


def _people(country):
    names = [*(str(role) for role in PLACES), "minister", "nobody"]
    made = User.objects.bulk_create(
        User(username=name, first_name=name.capitalize(), last_name="Prueba", password="!", language="es")
        for name in names
    )
    country.people = dict(zip(names, made, strict=True))
    held = [(country.people[role], role, country.units[code]) for role, code in PLACES.items()]
    held.append((country.people["minister"], Role.VIEWER, country.units["EST-EC"]))
    UnitUserObjectPermission.objects.bulk_create(bulk_grants(held))
