"""From parsed columns to accounts in the ids of the database, and to the facts by which accounts are compared."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from incidents import georeference, store
from incidents.dictionary import ARRAYS
from incidents.georeference import UNKNOWN, Gazetteer
from incidents.layout import CHOICES, STAGES
from incidents.models import AlertClass, Category, Channel, Kind, PlaceCode, Service, Video
from incidents.parse import Coded, Refusal
from incidents.store import NO_STAGE, Accounts, as_integers
from units.models import Level, Territory

TABLES = ("codes", "numbers", "victim_codes", "victim_numbers", "victimizer_codes", "victimizer_numbers")
CHOSEN = {"channel": Channel, "alert_class": AlertClass, "service": Service, "video": Video}


class PublishError(ValueError):
    """A publication cannot be taken as it is: `rule` of rules.FILE, with its details."""

    def __init__(self, rule, **details):
        super().__init__(rule)
        self.rule, self.details = rule, details


def gazetteer():
    rows = list(Territory.objects.order_by("level", "code").values_list("pk", "code", "level", "is_delimited"))
    if not rows:
        raise PublishError("no_territories")
    ids, codes, levels, delimited = zip(*rows, strict=True)
    return Gazetteer(np.array(ids, np.int64), list(codes), np.array(levels, np.int16), np.array(delimited, bool))


@dataclass
class Places:
    """The territories of parsed rows: ordinals (R,), UNKNOWN where nothing is said, and the code as it was given."""

    ordinals: np.ndarray
    given: list  # per label of parsed.place: the code where it is not the territory's own, else None


def place(parsed, layout, book, as_of):
    """Find the territory of every row; rows of unknown districts are refused. Counts what was mended in `parsed`."""
    found, rules = georeference.resolve(parsed.place.labels, book, layout.not_delimited)
    refused = np.array([*(rule == "district_unknown" for rule in rules), False], bool)[parsed.place.index]
    for row in np.flatnonzero(refused):
        code = parsed.place.labels[parsed.place.index[row]]
        parsed.refused.append(Refusal(int(parsed.rows[row]), "place", "district_unknown", code))
    parsed.refused.sort(key=lambda refusal: refusal.row)
    parsed.keep(~refused)
    ordinals = np.array([*found, UNKNOWN], np.int64)[parsed.place.index]
    for rule, count in sorted(_rules(rules, parsed.place.index).items()):
        parsed.mended[rule] += count
    unsaid = np.flatnonzero(ordinals == UNKNOWN)
    if len(unsaid):
        ordinals[unsaid] = _by_point(parsed, unsaid, book, as_of)
        located = int(np.count_nonzero(ordinals[unsaid] != UNKNOWN))
        parsed.mended.update({"place_by_point": located, "place_missing": len(unsaid) - located})
    own = [code if rule in ("place_to_circuit", "place_to_district", "not_delimited_code") else None
           for code, rule in zip(parsed.place.labels, rules, strict=True)]  # fmt: skip
    return Places(ordinals, own)


def _rules(rules, index):
    counts = np.bincount(index[index >= 0], minlength=len(rules))
    found = Counter()
    for rule, count in zip(rules, counts, strict=True):
        if rule and rule != "district_unknown" and count:
            found[rule] += int(count)
    return found


def _by_point(parsed, rows, book, as_of):
    """Ordinals of rows without a code: the lowest territory whose boundary holds their point, on the day `as_of`."""
    found = np.full(len(rows), UNKNOWN, np.int64)
    has_point = ~np.isnan(parsed.longitude[rows])
    for level in sorted((Level.DISTRICT, Level.CIRCUIT, Level.SUBCIRCUIT)):
        held = list(
            Territory.objects.with_boundary(as_of).filter(level=level).values_list("code", "geometry")
            if has_point.any()
            else ()
        )
        if not held:
            continue
        polygons = georeference.shapes([geometry for _, geometry in held])
        which = georeference.locate(parsed.longitude[rows][has_point], parsed.latitude[rows][has_point], polygons)
        ordinals = np.array([*(book.at[code] for code, _ in held), UNKNOWN], np.int64)[which]
        found[has_point] = np.where(ordinals != UNKNOWN, ordinals, found[has_point])
    return found


def build(parsed, places, book, dictionary):
    """Accounts (ids still 0) of parsed rows; what the file does not say is nothing here."""
    size = len(parsed)
    tables = [_table(parsed, dictionary, factor, kind, size) for factor, kind in ARRAYS]
    has_point = ~np.isnan(parsed.longitude)
    said = places.ordinals != UNKNOWN
    ordinals = np.where(said, places.ordinals, book.nation)
    territory = np.where(ordinals == UNKNOWN, 0, book.ids[np.maximum(ordinals, 0)])
    return Accounts(
        np.zeros(size, np.int64),
        parsed.days,
        parsed.seconds,
        _categories(parsed.category),
        territory,
        _place_codes(parsed, places, book),
        georeference.precision(places.ordinals, has_point, book),
        parsed.longitude,
        parsed.latitude,
        _stages(parsed, size),
        _choices(parsed, size),
        *tables,
    )


def _stages(parsed, size):
    """Instants of the handling (R, stages) in microseconds since 1970, NO_STAGE where not stated."""
    found = np.full((size, len(STAGES)), NO_STAGE, np.int64)
    for stage, instants in parsed.stages.items():
        found[:, STAGES.index(stage)] = np.where(np.isnat(instants), NO_STAGE, instants.astype(np.int64))
    return found


def _choices(parsed, size):
    """Channel, alert class, service and video (R, 4) as numbers of the models, 0 where not stated."""
    found = np.zeros((size, len(CHOICES)), np.int16)
    for key, coded in parsed.choices.items():
        numbers = [CHOSEN[key][label.upper()].value for label in coded.labels]
        found[:, CHOICES.index(key)] = np.array([*numbers, 0], np.int16)[coded.index]
    return found


def _categories(coded):
    known = dict(Category.objects.filter(code__in=coded.labels).values_list("code", "pk"))
    missing = [code for code in coded.labels if code not in known]
    if missing:
        raise PublishError("unknown_category", code=missing[0])
    return np.array([*(known[code] for code in coded.labels), 0], np.int64)[coded.index]


def _place_codes(parsed, places, book):
    """Ids of the codes that are no territory's own, kept so that a later catalogue can place them better."""
    given = {code: i for i, code in enumerate(places.given) if code}
    territories = {code: int(book.ids[places.ordinals[parsed.place.index == i][0]])
                   for code, i in given.items() if (parsed.place.index == i).any()}  # fmt: skip
    known = {held.code: held for held in PlaceCode.objects.filter(code__in=territories)}
    new = [PlaceCode(code=code, territory_id=pk) for code, pk in territories.items() if code not in known]
    known |= {held.code: held for held in PlaceCode.objects.bulk_create(new)}
    moved = [held for code, held in known.items() if held.territory_id != territories[code]]
    for held in moved:
        held.territory_id = territories[held.code]
    PlaceCode.objects.bulk_update(moved, ["territory_id"])
    ids = [known[code].pk if code in known else 0 for code in places.given]
    return np.array([*ids, 0], np.int64)[parsed.place.index]


def _table(parsed, dictionary, factor, kind, size):
    is_number = kind == Kind.NUMBER
    table = np.full(
        (size, dictionary.width(factor, kind)), np.nan if is_number else 0, np.float32 if is_number else np.int16
    )
    for position, field in dictionary.fields(factor, kind):
        column = parsed.variables.get(field)
        if isinstance(column, Coded):
            table[:, position] = dictionary.encode(field, column)
        elif column is not None:
            table[:, position] = column
    return table


@dataclass
class Facts:
    """What two accounts can differ in: names of the facts, and the columns of each in `matrix`."""

    names: list
    columns: list
    parts: list  # fact by fact: (attribute of Accounts, position in it or None) of what the fact is made of


WHERE = ("territory", "place_code")


def facts(layout, fields, dictionary):
    """The facts that a file with these fields can say: category, date, time, where, stages and each variable it has."""
    names, parts = ["category", "date"], [[("category", None)], [("days", None)]]
    if "time" in fields or layout.date_has_time:
        names.append("time")
        parts.append([("seconds", None)])
    where = [(name, None) for name in WHERE]
    if {"longitude", "latitude"} <= fields:
        where += [("longitude", None), ("latitude", None)]
    for variable in layout.variables:
        if variable.part == "where" and variable.field in fields:
            where.append(_slot(dictionary, variable.field))
    names.append("where")
    parts.append(where)
    for variable in layout.variables:
        if variable.field in fields and variable.part != "where":
            names.append(variable.field)
            parts.append([_slot(dictionary, variable.field)])
    for table, keys in (("stages", STAGES), ("choices", CHOICES)):
        said = [key for key in keys if key in fields]
        names += said
        parts += [[(table, keys.index(key))] for key in said]
    ends = np.cumsum([len(part) for part in parts]).tolist()
    columns = [list(range(end - len(part), end)) for part, end in zip(parts, ends, strict=True)]
    return Facts(names, columns, parts)


def _slot(dictionary, field):
    variable = dictionary.variables[field]
    return TABLES[ARRAYS.index((variable.factor, variable.kind))], variable.position


def matrix(accounts, known):
    """Accounts as whole numbers (R, columns of the facts), equal where the accounts say the same."""
    return np.stack([_integers(accounts, *slot) for part in known.parts for slot in part], 1)


SCALES = {"longitude": 1e7, "latitude": 1e7}


def _integers(accounts, name, position):
    values = getattr(accounts, name)
    if position is not None:
        values = values[:, position]
    if values.dtype.kind == "M":
        return values.astype("datetime64[D]").astype(np.int64)
    if values.dtype.kind == "f":
        return as_integers(values, SCALES.get(name, 1000))
    return values.astype(np.int64)


def merge(old, new, known):
    """What is said now: the file where it speaks, what was said before in all else. The incident keeps its id."""
    merged = old.take(np.arange(len(old)))
    for part in known.parts:
        for name, position in part:
            if position is None:
                setattr(merged, name, getattr(new, name))
            else:
                getattr(merged, name)[:, position] = getattr(new, name)[:, position]
    merged.place_precision = np.where(np.isnan(merged.longitude), new.place_precision, georeference.POINT)
    return merged


def widths(dictionary):
    return [dictionary.width(factor, kind) for factor, kind in ARRAYS]


def stored(*, source, categories, start, end, dictionary):
    """Accounts of the incidents of a source and category in [start, end)."""
    return store.read(source=source, categories=categories, start=start, end=end, widths=widths(dictionary))
