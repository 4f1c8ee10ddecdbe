"""Places as files describe them: codes by the police grammar, names as they are written, ancestors by code or by name.

`09D07C07S02` is a subcircuit of circuit `09D07C07` of district `09D07`; `000C01S01` lies in no district's bounds. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from units.files import fold, text

NATION, ZONE, SUBZONE, DISTRICT, CIRCUIT, SUBCIRCUIT = range(6)
LEVELS = ("nation", "zone", "subzone", "district", "circuit", "subcircuit")
GRAMMAR = re.compile(r"(?P<district>\d\dD\d\d|000)(?:(?P<circuit>C\d\d)(?P<subcircuit>S\d\d)?)?")
CODE = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,23}")
NOT_DELIMITED = {
    ZONE: ("Z0", "Zona no delimitada"),
    SUBZONE: ("SZ00", "Territorio no delimitado"),
    DISTRICT: ("000", "Zonas no delimitadas"),
}
SMALL_WORDS = {"de", "del", "la", "las", "los", "el", "y", "e", "a", "en", "al"}
# Headings by level: code, then name.
HEADINGS = {
    ZONE: (("zone_code", "codigo_zona"), ("zone", "zona")),
    SUBZONE: (("subzone_code", "codigo_subzona"), ("subzone", "subzona")),
    DISTRICT: (("district_code", "codigo_distrito"), ("district", "distrito")),
    CIRCUIT: (("circuit_code", "codigo_circuito"), ("circuit", "circuito")),
    SUBCIRCUIT: (("subcircuit_code", "codigo_subcircuito"), ("subcircuit", "subcircuito")),
}
GENERIC = {
    "code": ("code", "codigo"),
    "name": ("name", "nombre"),
    "level": ("level", "nivel"),
    "parent": ("parent", "parent_code", "padre"),
}
PROVINCE = ("province_code", "codigo_provincia")


@dataclass(frozen=True)
class Place:
    """A territory as a file names it. `parent` is a code, "" where the file does not say."""

    level: int
    code: str
    name: str = ""
    parent: str = ""
    is_delimited: bool = True
    latitude: float | None = None
    longitude: float | None = None


class PlaceError(ValueError):
    """Attributes that name no place; `rule` and `field` say how."""

    def __init__(self, field, rule):
        super().__init__(rule)
        self.field, self.rule = field, rule


def level_by_code(code):
    """The level that a code's own grammar gives it, None for other codes."""
    found = GRAMMAR.fullmatch(code)
    if not found:
        return None
    return SUBCIRCUIT if found["subcircuit"] else CIRCUIT if found["circuit"] else DISTRICT


def parent_by_code(code):
    """The code of the place that a circuit's or subcircuit's code lies in, "" for other codes."""
    found = GRAMMAR.fullmatch(code)
    if not found or not found["circuit"]:
        return ""
    return found["district"] + (found["circuit"] if found["subcircuit"] else "")


def written(name):
    """A name as it is written: files in capitals have lost their small letters, which are given back here."""
    name = re.sub(r"^D\.?\s?M\.?\s+(?=\w)", "DISTRITO METROPOLITANO DE ", " ".join(name.split()), flags=re.I)
    if name != name.upper():
        return name
    words = name.lower().split(" ")
    return " ".join(w if i and w in SMALL_WORDS else _capital(w) for i, w in enumerate(words))


def _capital(word):
    if re.fullmatch(r"[ivx]{2,}", word):
        return word.upper()
    return re.sub(r"(^|[-(./])(\w)", lambda found: found[1] + found[2].upper(), word)


def zone_code(name):
    """`ZONA 6` is Z6; "" for another name."""
    found = re.fullmatch(r"zon[ae] (\d{1,2})", fold(name))
    return f"Z{int(found[1])}" if found else ""


def subzone_code(name, province):
    """A subzone is a province, SZ and its number; a metropolitan district apart, DM and its initial; "" if not told."""
    found = re.match(r"(?:d ?m|distrito metropolitano(?: de)?) (\w)", fold(name))
    if found:
        return f"DM{found[1].upper()}"
    return f"SZ{province.zfill(2)}" if province else ""


class Reader:
    """Attributes of rows or features into places, from the highest to the one that the row is about.

    `level`: the level that rows are about, where the caller says. `known`: {(level, folded name): code} of places there
    already, by which a zone or subzone without a code is recognised.
    """

    def __init__(self, level=None, known=None):
        self.level, self.known = level, known or {}

    def places(self, attributes):
        """The places that a row names, ancestors first; the last is the row's own. Raises PlaceError."""
        given = {fold(key).replace(" ", "_"): text(value) for key, value in attributes.items()}
        point = _point(given)
        if _first(given, GENERIC["code"]) and not any(_first(given, HEADINGS[n][0]) for n in (CIRCUIT, SUBCIRCUIT)):
            return [self._generic(given, point)]
        chain = self._chain(given)
        if not chain:
            raise PlaceError("code", "code_missing")
        *above, own = chain
        return [*above, Place(own.level, own.code, own.name, own.parent, own.is_delimited, *point)]

    def _generic(self, given, point):
        code = _first(given, GENERIC["code"]).upper()
        _must_be_code(code)
        level = self._said_level(given)
        if level is None:
            level = level_by_code(code)
        if level is None:
            raise PlaceError("level", "level_unknown")
        parent = _first(given, GENERIC["parent"]).upper() or parent_by_code(code)
        return Place(level, code, written(_first(given, GENERIC["name"])), parent, not code.startswith("000"), *point)

    def _said_level(self, given):
        said = fold(_first(given, GENERIC["level"]))
        names = [*LEVELS, "nacion", "zona", "subzona", "distrito", "circuito", "subcircuito"]
        if said in names:
            return names.index(said) % len(LEVELS)
        return int(said) if said in map(str, range(len(LEVELS))) else self.level

    def _chain(self, given):
        """Every level that the row names by itself or by the code of a level below, highest first."""
        finest = self._finest(given)
        chain, parent = [], ""
        for level in range(ZONE, finest + 1):
            code, name = self._code(given, level, finest), _first(given, HEADINGS[level][1])
            if level in NOT_DELIMITED and code == NOT_DELIMITED[level][0]:
                name = name or NOT_DELIMITED[level][1]
            if not code:
                if level == finest:
                    raise PlaceError(HEADINGS[level][0][0], "code_missing")
                continue
            _must_be_code(code, HEADINGS[level][0][0])
            if level >= DISTRICT and level_by_code(code) not in (level, None):
                raise PlaceError(HEADINGS[level][0][0], "code_of_another_level")
            chain.append(Place(level, code, written(name), parent_by_code(code) or parent, not _is_outside(given)))
            parent = code
        return chain

    def _finest(self, given):
        named = [n for n in HEADINGS if _first(given, HEADINGS[n][0]) or _first(given, HEADINGS[n][1])]
        if not named:
            raise PlaceError("code", "code_missing")
        return max(named) if self.level is None else self.level

    def _code(self, given, level, finest):
        code = _first(given, HEADINGS[level][0]).upper()
        if code or level >= DISTRICT:
            return code or _by_finer_code(given, level, finest)
        if _is_outside(given):
            return NOT_DELIMITED[level][0]
        name = _first(given, HEADINGS[level][1])
        if not name:
            return ""
        if level == ZONE:
            return zone_code(name) or self.known.get((level, fold(written(name))), "")
        known = self.known.get((level, fold(written(name))), "")
        return known or subzone_code(name, _first(given, PROVINCE))


def _by_finer_code(given, level, finest):
    for finer in range(finest, level, -1):
        code = _first(given, HEADINGS[finer][0]).upper()
        while code and level_by_code(code) not in (level, None):
            code = parent_by_code(code)
        if code and level_by_code(code) == level:
            return code
    return ""


def _is_outside(given):
    return any(_first(given, HEADINGS[n][0]).startswith("000") for n in (DISTRICT, CIRCUIT, SUBCIRCUIT))


def _must_be_code(code, field="code"):
    if not CODE.fullmatch(code):
        raise PlaceError(field, "code_malformed")


def _first(given, names):
    return next((given[name] for name in names if given.get(name)), "")


def _point(given):
    pair = _first(given, ("lat", "latitude", "latitud")), _first(given, ("lon", "longitude", "longitud"))
    try:
        latitude, longitude = (float(part.replace(",", ".")) for part in pair)
    except ValueError:
        return None, None
    return latitude, longitude
