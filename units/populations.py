"""Population by territory and year from files: as given, through cantons, summed up the tree, or spread over years."""

import csv
from collections import defaultdict
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units import cells
from units.files import Field, FileError, guarded, read_columns, text
from units.imports import Rollback, refusal
from units.models import Level, Population, Territory

RULES = {
    "unknown_territory": gettext_lazy("There is no territory of this code."),
    "people_missing": gettext_lazy("The number of people is missing."),
    "not_a_number": gettext_lazy("The number of people is not a number."),
    "not_whole": gettext_lazy("The number of people is not whole."),
    "negative": gettext_lazy("The number of people is below zero."),
    "year_missing": gettext_lazy("The year is missing or is not one between 1900 and 2200: give --year."),
    "repeated": gettext_lazy("The same territory and year stand in an earlier row."),
    "no_district": gettext_lazy("No district of this canton, nor of its province, is known."),
}
CODES = ("territory", "territory_code", "code", "codigo", "codigo_territorio", "district_code", "canton_code")
PEOPLE = ("people", "population", "poblacion", "habitantes")
YEARS = ("year", "ano", "anio")


@dataclass(frozen=True)
class Row:
    """People of a territory in a year. `number` is the row of the file that it came from."""

    number: int
    code: str
    year: int
    people: int
    source: str


@dataclass
class Report:
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    people: int = 0  # of the file's own rows that were taken
    refused: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def read(path, *, columns=None, territory="", year=None, source=""):
    """(columns, rows, refused). `columns`: {our field: heading} where they differ; `territory`, `year`: of all rows."""
    asked = {name: (heading,) for name, heading in (columns or {}).items()}
    fields = [
        Field("code", asked.get("code", CODES), not territory),
        Field("year", asked.get("year", YEARS), year is None),
        Field("people", asked.get("people", PEOPLE)),
        Field("source", asked.get("source", ("source", "fuente")), False),
    ]
    found = read_columns(path, fields)
    rows, refused = [], []
    given = zip(*(found.get(f.name) for f in fields), strict=True)
    for number, (code, when, people, origin) in zip(found.numbers, given, strict=True):
        try:
            where, whole = territory or text(code).upper(), _people(people)
            rows.append(Row(number, where, year or _year(when), whole, text(origin) or source))
        except cells.CellError as error:
            about = "year" if error.rule == "year_missing" else "people"
            refused.append(refusal(number, about, error.rule, RULES))
    return found, rows, refused


def _people(cell):
    people = cells.whole(cell)
    if people is None:
        raise cells.CellError("people_missing")
    if people < 0:
        raise cells.CellError("negative")
    return people


def _year(cell):
    year = cells.whole(cell)
    if year is None or not 1900 <= year <= 2200:
        raise cells.CellError("year_missing")
    return year


def canton_districts(path):
    """{canton code: [district codes]} of a file with the columns district_code and cantons (codes apart by commas)."""
    with guarded(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"district_code", "cantons"} <= set(reader.fieldnames or []):
            figures = {"name": path, "found": ", ".join(reader.fieldnames or [])}
            message = _("%(name)s has another layout: expected the columns district_code, cantons; found %(found)s.")
            raise FileError("other_layout", message % figures)
        found = defaultdict(list)
        for row in reader:
            for canton in row["cantons"].replace(";", ",").split(","):
                if canton.strip():
                    found[canton.strip().zfill(4)].append(row["district_code"].strip())
    return dict(found)


def through_cantons(rows, cantons):
    """(rows by district, refused, notes): a canton's people go to its districts.

    Where a canton has several districts they share its people by their number of subcircuits, the police's own units of
    about equal size; a canton that no district names goes to all districts of its province in the same way.
    """
    weights = subcircuits_by_district()
    by_province = defaultdict(list)
    for district in weights:
        by_province[district[:2]].append(district)
    total, sources, refused, notes = defaultdict(int), {}, [], []
    first = {}
    for row in rows:
        canton = row.code.zfill(4)
        districts = cantons.get(canton) or by_province.get(canton[:2], [])
        if not districts:
            refused.append(refusal(row.number, "code", "no_district", RULES))
            continue
        if canton not in cantons:
            notes.append(_("Canton %(code)s: shared among the districts of its province.") % {"code": canton})
        shares = apportioned(row.people, [weights.get(district, 1) for district in districts])
        for district, part in zip(districts, shares, strict=True):
            total[district, row.year] += part
            sources[district, row.year] = row.source
            first.setdefault((district, row.year), row.number)
    found = [Row(first[key], *key, people, sources[key]) for key, people in total.items()]
    return found, refused, notes


def subcircuits_by_district():
    """{district code: number of its subcircuits, at least 1}."""
    found = dict.fromkeys(Territory.objects.filter(level=Level.DISTRICT).values_list("code", flat=True), 0)
    below = Territory.objects.filter(level=Level.SUBCIRCUIT).values_list("parent__parent__code", flat=True)
    for code in below:
        if code in found:
            found[code] += 1
    return {code: max(1, n) for code, n in found.items()}


def apportioned(total, weights):
    """Whole numbers in proportion to the weights that add up to the total (largest remainder)."""
    everything = sum(weights)
    exact = [total * weight / everything for weight in weights]
    whole = [int(part) for part in exact]
    order = sorted(range(len(exact)), key=lambda i: whole[i] - exact[i])
    for i in order[: total - sum(whole)]:
        whole[i] += 1
    return whole


def summed_up(rows):
    """The rows, and sums for every territory above that the file leaves out; a nation's own figure is kept."""
    parents = dict(Territory.objects.values_list("code", "parent__code"))
    given = {(row.code, row.year) for row in rows}
    there = set(Population.objects.values_list("territory__code", "year"))
    sums, sources = defaultdict(int), {}
    for row in rows:
        above = parents.get(row.code)
        while above and (above, row.year) not in given:
            sums[above, row.year] += row.people
            sources[above, row.year] = _("%(source)s, summed") % {"source": row.source}
            above = parents.get(above)
    kept = {key for key in there if parents.get(key[0]) is None}
    return [*rows, *(Row(0, *key, people, sources[key]) for key, people in sums.items() if key not in kept)]


def spread_over_years(rows, years):
    """Rows for other years too: each territory keeps its share of the nation's people, which must be known."""
    nation = dict(Population.objects.filter(territory__level=Level.NATION).values_list("year", "people"))
    base = {row.year for row in rows}
    lacking = sorted((set(years) | base) - set(nation))
    if lacking:
        message = _("The nation's people in %(years)s are not known: import them first.")
        raise FileError("no_nation", message % {"years": ", ".join(map(str, lacking))})
    found = list(rows)
    for row in rows:
        source = _("%(source)s of %(year)d, with the nation's growth") % {"source": row.source, "year": row.year}
        for year in years:
            if year not in base:
                people = round(row.people * nation[year] / nation[row.year])
                found.append(Row(row.number, row.code, year, people, source))
    return found


def load(*, rows, refused, accept_valid=False, dry_run=False):
    """Write population rows, in one transaction; nothing where a row is refused. Returns Report."""
    report = Report(refused=list(refused))
    ids = dict(Territory.objects.values_list("code", "pk"))
    good, seen = [], set()
    for row in rows:
        if row.code not in ids:
            report.refused.append(refusal(row.number, "code", "unknown_territory", RULES))
        elif (row.code, row.year) in seen:
            report.refused.append(refusal(row.number, "code", "repeated", RULES))
        else:
            seen.add((row.code, row.year))
            good.append(row)
    report.refused.sort(key=lambda r: r.row)
    if report.refused and not accept_valid:
        return report
    try:
        with transaction.atomic():
            _write(good, ids, report)
            if dry_run:
                raise Rollback
    except Rollback:
        pass
    return report


def _write(rows, ids, report):
    there = {(t, y): (p, s) for t, y, p, s in Population.objects.values_list("territory", "year", "people", "source")}
    fresh = []
    for row in rows:
        said, before = (row.people, row.source[:200]), there.get((ids[row.code], row.year))
        report.people += row.people if row.number else 0
        if before == said:
            report.unchanged += 1
            continue
        report.created += before is None
        report.changed += before is not None
        fresh.append(Population(territory_id=ids[row.code], year=row.year, people=said[0], source=said[1]))
    Population.objects.bulk_create(
        fresh, update_conflicts=True, unique_fields=["territory", "year"], update_fields=["people", "source"]
    )
