"""Territories with their boundaries from files: nothing twice, nothing by halves, every refusal by row."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from shapely import errors, geometry, make_valid

from units import places
from units.actions import recorded
from units.files import Columns, Field, FileError, fold, guarded, read_columns
from units.models import Boundary, Level, Territory
from units.refusals import Refusal

RULES = {
    "code_missing": gettext_lazy("The code is missing."),
    "code_malformed": gettext_lazy("A code has capital letters, digits, dots and hyphens, 24 at most."),
    "code_of_another_level": gettext_lazy("By its grammar the code is of another level."),
    "level_unknown": gettext_lazy("Neither the file nor the code says which level this is: give --level."),
    "name_missing": gettext_lazy("A new territory needs a name."),
    "repeated": gettext_lazy("The same code stands in an earlier row."),
    "unknown_parent": gettext_lazy("There is no territory above it: load the level above first."),
    "parent_not_above": gettext_lazy("The territory given as its parent is not of a higher level."),
    "two_parents": gettext_lazy("An earlier row puts the same code below another parent."),
    "geometry_missing": gettext_lazy("The feature has no geometry."),
    "geometry_kind": gettext_lazy("A boundary is a Polygon or a MultiPolygon."),
    "geometry_invalid": gettext_lazy("The geometry is not valid: its rings cross, or are not closed."),
    "outside_country": gettext_lazy("The boundary leaves the country's bounds; coordinates are longitude, latitude."),
    "later_boundary": gettext_lazy("A boundary that holds from a later day is there already."),
}
ANY_DAY = date(1900, 1, 1)  # a boundary that is not dated holds for as long as anyone looks back


@dataclass
class Entry:
    """A row or feature: the places it names, its own last, and the boundary of its own place if it brings one."""

    row: int
    places: list
    geometry: dict | None = None


@dataclass
class Report:
    """What an import did, or in a dry run would have done."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    boundaries_created: int = 0
    boundaries_changed: int = 0
    boundaries_since: date | None = None  # the first day on which a line is another than before
    refused: list = field(default_factory=list)
    mended: list = field(default_factory=list)


class Rollback(Exception):  # noqa: N818 - it is no error: it takes the transaction back
    pass


def refusal(row, about, rule, rules=RULES):
    return Refusal(row, about, rule, str(rules[rule]))


# Reading


def read_territories(path, *, level=None):
    """(columns, entries, refused) of a GeoJSON or tabular file of territories."""
    path = guarded(path)
    reader = places.Reader(level, known_names())
    with path.open("rb") as file:
        is_json = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    return _features(path, reader) if is_json else _rows(path, reader)


def known_names():
    """{(level, folded name): code} of the zones and subzones there are."""
    found = Territory.objects.filter(level__in=[Level.ZONE, Level.SUBZONE]).values_list("level", "name", "code")
    return {(level, fold(name)): code for level, name, code in found}


def _features(path, reader):
    try:
        collection = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        message = _("%(name)s is truncated or is no GeoJSON (%(error)s). Send it again.")
        raise FileError("truncated", message % {"name": path.name, "error": str(error)[:120]}) from error
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        figures = {"name": path.name, "found": str(collection.get("type", ""))[:40] or _("nothing")}
        message = _("%(name)s has another layout: expected a FeatureCollection with features; found %(found)s.")
        raise FileError("other_layout", message % figures)
    header = sorted({key for f in features if isinstance(f, dict) for key in (f.get("properties") or {})})
    columns = Columns("", header)
    entries, refused = [], []
    for number, feature in enumerate(features, 1):
        properties = (feature.get("properties") or {}) if isinstance(feature, dict) else {}
        columns.numbers.append(number)
        columns.rows.append([properties.get(key) for key in header])
        try:
            named = reader.places(properties)
            entries.append(Entry(number, named, _geometry(feature)))
        except places.PlaceError as error:
            refused.append(refusal(number, error.field, error.rule))
    return columns, entries, refused


def _rows(path, reader):
    finest = (places.HEADINGS[n][0] for n in (Level.SUBCIRCUIT, Level.CIRCUIT, Level.DISTRICT))
    own = Field("code", (*places.GENERIC["code"], *(name for names in finest for name in names)))
    columns = read_columns(path, [own])
    entries, refused = [], []
    for number, row in zip(columns.numbers, columns.rows, strict=True):
        try:
            entries.append(Entry(number, reader.places(dict(zip(columns.header, row, strict=False)))))
        except places.PlaceError as error:
            refused.append(refusal(number, error.field, error.rule))
    return columns, entries, refused


def _geometry(feature):
    """The feature's geometry, valid and inside the country; PlaceError otherwise."""
    given = feature.get("geometry")
    if not given:
        raise places.PlaceError("geometry", "geometry_missing")
    if given.get("type") not in ("Polygon", "MultiPolygon"):
        raise places.PlaceError("geometry", "geometry_kind")
    try:
        shape = geometry.shape(given)
    except (errors.ShapelyError, ValueError, TypeError, KeyError, IndexError) as error:
        raise places.PlaceError("geometry", "geometry_invalid") from error
    if shape.is_empty:
        raise places.PlaceError("geometry", "geometry_missing")
    west, south, east, north = settings.COUNTRY_BOX
    if shape.bounds[0] < west or shape.bounds[1] < south or shape.bounds[2] > east or shape.bounds[3] > north:
        raise places.PlaceError("geometry", "outside_country")
    if not shape.is_valid and not _is_nearly(shape):
        raise places.PlaceError("geometry", "geometry_invalid")
    return given


def _is_nearly(shape):
    """Whether a geometry is wrong in no more than a touching vertex: mended, it has the same area to a thousandth."""
    return abs(make_valid(shape).area - shape.area) <= 0.001 * shape.area


# Writing


def load_territories(
    *, by, entries, refused, source, is_schematic=False, valid_from=None, nation="", accept_valid=False, dry_run=False,
    progress=None, reason="",
):  # fmt: skip
    """Write a file's territories and boundaries, in one transaction; nothing where a row is refused. Returns Report."""
    report = Report(refused=list(refused))
    there = {territory.code: territory for territory in Territory.objects.all()}
    entries = _checked(entries, there, report)
    report.refused.sort(key=lambda r: r.row)
    if report.refused and not accept_valid:
        return report
    try:
        with recorded(by=by, reason=reason):
            top = _nation(there, nation, report) if entries else None
            with_line = [entry for entry in entries if entry.geometry]
            points = {entry.places[-1].code: entry.geometry for entry in with_line}
            _write_places(_agreed(entries, points, report), there, top, report)
            _write_boundaries(with_line, there, source, is_schematic, valid_from, report, progress)
            if dry_run or (report.refused and not accept_valid):
                raise Rollback
            if report.boundaries_since:
                transaction.on_commit(lambda: _tell_of_boundaries(by, report.boundaries_since, reason))
    except Rollback:
        pass
    return report


def _tell_of_boundaries(by, since, reason):
    import_string(settings.BOUNDARIES_CHANGED)(by=by, since=since, reason=reason)


def _checked(entries, there, report):
    """The entries whose own place may be written, each below a place that may be; the others are refused by rule."""
    good, faults = entries, {}
    while True:
        named = {}
        for place in (place for entry in good for place in entry.places):
            if place.code not in named or place.name:
                named[place.code] = place
        own, parents = set(), {}
        found = {entry.row: fault for entry in good if (fault := _fault(entry, own, parents, named, there))}
        if not found:
            break
        faults |= found
        good = [entry for entry in good if entry.row not in found]
    report.refused += [refusal(row, *fault) for row, fault in faults.items()]
    return good


def _fault(entry, own, parents, named, there):
    """(field, rule) that an entry breaks, or None. `own`, `parents`: codes seen so far, added to here."""
    code = entry.places[-1].code
    if code in own:
        return "code", "repeated"
    own.add(code)
    for place in entry.places:
        known = there.get(place.code)
        above = named.get(place.parent) or there.get(place.parent)
        if known is None and not named[place.code].name:
            return "name", "name_missing"
        if above is None and (place.parent or (known is None and place.level > Level.ZONE)):
            return "parent", "unknown_parent"
        if above is not None and above.level >= place.level:
            return "parent", "parent_not_above"
        if place.parent and parents.setdefault(place.code, place.parent) != place.parent:
            return "parent", "two_parents"
    return None


def _agreed(entries, lines, report):
    """(place, name) a code, parents first: the name that most rows give it, its boundary."""
    found, names = {}, {}
    for entry in entries:
        for place in entry.places:
            if place.name:
                names.setdefault(place.code, Counter())[place.name] += 1
            if place.code not in found or place is entry.places[-1]:
                found[place.code] = place
    for code, given in names.items():
        if len({fold(name) for name in given}) > 1:
            several = ", ".join(name for name, _n in given.most_common())
            message = _("%(code)s has several names; the most frequent was taken: %(names)s.")
            report.mended.append(message % {"code": code, "names": several})
    best = {code: given.most_common(1)[0][0] for code, given in names.items()}
    ordered = sorted(found.values(), key=lambda p: (p.level, p.code))
    return [(place, best.get(place.code, ""), lines.get(place.code)) for place in ordered]


def _nation(there, name, report):
    """The nation, made where it is not there yet: every zone lies in it."""
    top = next((territory for territory in there.values() if territory.level == Level.NATION), None)
    if top is None:
        code = settings.COUNTRY_CODE
        top = there[code] = Territory.objects.create(code=code, name=name or code, level=Level.NATION)
        report.created += 1
    return top


def _write_places(agreed, there, top, report):
    for level in Level:
        fresh, changed = [], []
        for place, name, line in agreed:
            if place.level != level:
                continue
            parent = there.get(place.parent) or (top if level == Level.ZONE else None)
            known = there.get(place.code)
            if known is None:
                fresh.append(_new(place, name, parent, line))
            elif _differs(known, place, name, parent, line):
                changed.append(known)
            else:
                report.unchanged += 1
        for territory in Territory.objects.bulk_create(fresh):
            there[territory.code] = territory
        Territory.objects.bulk_update(changed, ["name", "level", "parent", "latitude", "longitude"])
        report.created += len(fresh)
        report.changed += len(changed)


def _new(place, name, parent, line):
    territory = Territory(
        code=place.code, name=name[:160], level=place.level, parent=parent, is_delimited=place.is_delimited
    )
    _set_point(territory, place, line)
    return territory


def _differs(known, place, name, parent, line):
    """Put what the file says into the territory; whether that changed it. Capitals and lost accents change nothing."""
    before = (known.name, known.level, known.parent_id, known.latitude, known.longitude)
    if name and fold(name) != fold(known.name):
        known.name = name[:160]
    known.level = place.level
    known.parent = parent or known.parent
    _set_point(known, place, line)
    return before != (known.name, known.level, known.parent_id, known.latitude, known.longitude)


def _set_point(territory, place, line):
    """The point that the file gives; a territory without any gets one inside its boundary."""
    if place.latitude is not None and place.longitude is not None:
        territory.latitude, territory.longitude = place.latitude, place.longitude
    elif territory.latitude is None and line:
        point = make_valid(geometry.shape(line)).representative_point()
        territory.latitude, territory.longitude = round(point.y, 5), round(point.x, 5)


def _write_boundaries(entries, there, source, is_schematic, valid_from, report, progress):
    ids = [there[entry.places[-1].code].pk for entry in entries]
    current = {b.territory_id: b for b in Boundary.objects.filter(territory__in=ids).order_by("valid_from")}
    for done, entry in enumerate(entries, 1):
        territory = there[entry.places[-1].code]
        last = current.get(territory.pk)
        if last and valid_from and valid_from < last.valid_from:
            report.refused.append(refusal(entry.row, "valid_from", "later_boundary"))
            continue
        said = {"geometry": entry.geometry, "source": source[:200], "is_schematic": is_schematic}
        _write_boundary(territory, last, valid_from, said, report)
        if progress:
            progress(done, len(entries))


def _write_boundary(territory, last, valid_from, said, report):
    """The line that holds from `valid_from`; without a day it takes the place of the one that holds now."""
    start = valid_from or (last.valid_from if last else ANY_DAY)
    if last and all(getattr(last, name) == value for name, value in said.items()):
        return
    report.boundaries_since = min(start, report.boundaries_since or start)
    if last and last.valid_from == start:
        Boundary.objects.filter(pk=last.pk).update(**said)
        report.boundaries_changed += 1
        return
    if last and (last.valid_to is None or last.valid_to > start):
        Boundary.objects.filter(pk=last.pk).update(valid_to=start)
    Boundary.objects.create(territory=territory, valid_from=start, **said)
    report.boundaries_created += 1
