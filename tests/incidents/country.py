"""A country to try incidents in: territories, a police with a unit a district, homicide indicators by event rule."""

import csv
from datetime import date

from incidents.dictionary import ensure
from incidents.models import Category, EventRule, Measure
from indicators.codes import Rule, Sense
from indicators.models import Assignment, Denominator, Indicator, SheetVersion
from units.models import Institution, Level, Territory, Unit, UnitPeriod

FROM = date(2014, 1, 1)


class Country:
    """Territories by code, the police's units by the code of their territory, and the two indicators."""

    def __init__(self, rows):
        self.places = {"EC": Territory.objects.create(code="EC", name="Ecuador", level=Level.NATION)}
        self._territories(rows)
        self.police = Institution.objects.create(code="PN", name="Policía Nacional", short_name="PN")
        self.ministry = Institution.objects.create(code="MDI", name="Ministerio del Interior", short_name="MDI")
        self.units = {}
        self._units()
        ensure()
        self.homicides = self._indicator("PN.HOMICIDES", Denominator.NONE)
        self.rate = self._indicator("PN.HOMICIDE.RATE", Denominator.POPULATION)

    def _territories(self, rows):
        """rows: dicts of zone, subzone, district_code, circuit_code, subcircuit_code."""
        tree = {
            "Z0": (Level.ZONE, "EC", False),
            "000C01": (Level.CIRCUIT, "Z0", False),
            "000C01S01": (Level.SUBCIRCUIT, "000C01", False),
        }
        for row in rows:
            zone = "Z" + row["zone"].removeprefix("ZONA ")
            subzone = f"SZ.{row['district_code'][:2]}.{zone}"
            tree.setdefault(zone, (Level.ZONE, "EC", True))
            tree.setdefault(subzone, (Level.SUBZONE, zone, True))
            tree.setdefault(row["district_code"], (Level.DISTRICT, subzone, True))
            tree.setdefault(row["circuit_code"], (Level.CIRCUIT, row["district_code"], True))
            tree.setdefault(row["subcircuit_code"], (Level.SUBCIRCUIT, row["circuit_code"], True))
        for level in sorted({level for level, *_ in tree.values()}):
            made = [
                Territory(code=code, name=code, level=level, parent=self.places[parent], is_delimited=delimited)
                for code, (at, parent, delimited) in tree.items()
                if at == level
            ]
            self.places |= {place.code: place for place in Territory.objects.bulk_create(made)}

    def _units(self):
        """The nation, and a unit a district and one for what is not delimited, directly below it."""
        held = [place for place in self.places.values() if place.level == Level.DISTRICT or place.code in ("EC", "Z0")]
        for place in sorted(held, key=lambda place: place.level):
            parent = self.units.get("EC")
            unit = Unit(
                institution=self.police, code=f"PN.{place.code}", name=place.code, parent=parent, territory=place
            )
            unit.save()
            unit.path = [*(parent.path if parent else []), unit.pk]
            unit.save(update_fields=["path"])
            self.units[place.code] = unit
        UnitPeriod.objects.bulk_create(
            UnitPeriod(
                unit=unit, institution=self.police, parent=unit.parent, territory=unit.territory, from_month=FROM
            )
            for unit in self.units.values()
        )

    def _indicator(self, code, denominator):
        indicator = Indicator.objects.create(institution=self.police, code=code)
        SheetVersion.objects.create(
            indicator=indicator, version=1, valid_from=FROM, name=code, unit_of_measure="victims", numerator="victims",
            denominator_kind=denominator, is_count=denominator == Denominator.NONE, sense=Sense.LOWER,
            scale=100_000 if denominator else 1, over_units=Rule.RATIO if denominator else Rule.SUM,
            over_time=Rule.RATIO if denominator else Rule.SUM, denominator_over_time=Rule.LAST,
        )  # fmt: skip
        Assignment.objects.bulk_create(
            Assignment(indicator=indicator, unit=unit, from_month=FROM)
            for code, unit in self.units.items()
            if code != "EC"
        )
        EventRule.objects.create(
            indicator=indicator,
            measure=Measure.VICTIMS,
            category=Category.objects.get(code="HOMICIDE"),
            from_month=FROM,
        )
        return indicator


def real_rows(folder):
    with open(folder / "codes" / "police_geography_from_incidents.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def small_rows():
    """Two districts of one zone, with two circuits of two subcircuits each."""
    return [
        {
            "zone": "ZONA 8",
            "district_code": district,
            "circuit_code": f"{district}C0{c}",
            "subcircuit_code": f"{district}C0{c}S0{s}",
        }
        for district in ("09D01", "09D02")
        for c in (1, 2)
        for s in (1, 2)
    ]
