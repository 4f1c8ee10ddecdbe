"""Institutions of the sample country, their units over its territories, and the people who hold roles there.

Each institution's tree follows the territories it works by: the police down to the community police unit of a
subcircuit, prosecution and courts by province, the emergency service by centre, ministry and State by zone.
"""

from dataclasses import dataclass
from functools import cache

from scorecard.sample.territories import (
    CIRCUIT,
    DISTRICT,
    NATION,
    NATION_CODE,
    NOT_DELIMITED_ZONE,
    SUBCIRCUIT,
    SUBZONE,
    ZONE,
    country,
)

STATE, POLICE, PROSECUTOR, EMERGENCY, COURTS, MINISTRY = "EST", "PN", "FGE", "ECU", "CJ", "MDI"


@dataclass(frozen=True)
class SampleInstitution:
    code: str
    name: str
    name_en: str
    short_name: str
    is_state: bool = False


@dataclass(frozen=True)
class SampleUnit:
    """A unit and the place it covers. Roots of institutions hang under the State, for permissions alone."""

    code: str
    institution: str
    name: str
    name_en: str
    parent: str | None
    place: str
    level: int


@dataclass(frozen=True)
class SamplePerson:
    """An account, with the roles (`units.permissions.Role` values) held in units (codes)."""

    username: str
    first_name: str
    last_name: str
    title: str
    language: str
    grants: tuple[tuple[str, str], ...]


INSTITUTIONS = (
    SampleInstitution(STATE, "Estado ecuatoriano", "State of Ecuador", "Estado", True),
    SampleInstitution(POLICE, "Policía Nacional del Ecuador", "National Police of Ecuador", "Policía Nacional"),
    SampleInstitution(PROSECUTOR, "Fiscalía General del Estado", "State Prosecutor's Office", "Fiscalía"),
    SampleInstitution(
        EMERGENCY, "Servicio Integrado de Seguridad ECU 911", "ECU 911 Integrated Security Service", "ECU 911"
    ),
    SampleInstitution(COURTS, "Consejo de la Judicatura", "Judiciary Council", "Judicatura"),
    SampleInstitution(MINISTRY, "Ministerio del Interior", "Ministry of the Interior", "Interior"),
)

# Centres of the emergency service: nine for the zones, and seven local ones below them. Seats are real cities; that
# every zone has a zonal centre is the sample's own arrangement.
ZONAL_CENTRES = {
    "Z1": "Ibarra", "Z2": "Tena", "Z3": "Ambato", "Z4": "Portoviejo", "Z5": "Babahoyo",
    "Z6": "Cuenca", "Z7": "Machala", "Z8": "Samborondón", "Z9": "Quito",
}  # fmt: skip
LOCAL_CENTRES = {
    "SZ04": "Tulcán", "SZ06": "Riobamba", "SZ08": "Esmeraldas", "SZ11": "Loja", "SZ14": "Macas",
    "SZ21": "Nueva Loja", "SZ23": "Santo Domingo",
}  # fmt: skip


def unit_code(institution, place):
    """Units are named after their institution and the place that they cover: PN-09D08, FGE-SZ09."""
    return f"{institution}-{place}"


@cache
def units() -> tuple[SampleUnit, ...]:
    """All units, the State's first and parents before children."""
    provincial = (*_provincial(PROSECUTOR), *_provincial(COURTS))
    return (*_zonal(STATE), *_police(), *provincial, *_emergency(), *_zonal(MINISTRY))


@cache
def positions() -> dict[str, int]:
    """Position of every unit in `units()`, by code."""
    return {unit.code: i for i, unit in enumerate(units())}


def _root(institution):
    about = next(one for one in INSTITUTIONS if one.code == institution)
    parent = None if about.is_state else unit_code(STATE, NATION_CODE)
    return SampleUnit(
        unit_code(institution, NATION_CODE), institution, about.name, about.name_en, parent, NATION_CODE, NATION
    )


def _below(institution, place, name, name_en, parent=NATION_CODE):
    code, above = unit_code(institution, place.code), unit_code(institution, parent)
    return SampleUnit(code, institution, name, name_en, above, place.code, place.level)


def _zones():
    return [place for place in country().places if place.level == ZONE and place.is_delimited]


def _zonal(institution):
    words = {
        STATE: ("Gabinete Zonal de Seguridad, {}", "Zonal Security Cabinet, {}"),
        MINISTRY: ("Coordinación Zonal de {}", "Zonal Coordination, {}"),
    }[institution]
    yield _root(institution)
    for place in _zones():
        yield _below(institution, place, words[0].format(place.name), words[1].format(place.name_en))


def _provincial(institution):
    """One unit a subzone: the 24 provinces, with Guayaquil and Quito apart so that each place has one."""
    words = {
        PROSECUTOR: ("Fiscalía Provincial de {}", "Provincial Prosecutor's Office, {}", "Fiscalía del {}"),
        COURTS: ("Corte Provincial de {}", "Provincial Court, {}", "Unidades Judiciales del {}"),
    }[institution]
    yield _root(institution)
    for place in country().places:
        if place.level == SUBZONE and place.is_delimited:
            spanish = words[0] if place.code.startswith("SZ") else words[2]
            yield _below(institution, place, spanish.format(place.name), words[1].format(place.name))


def _emergency():
    yield _root(EMERGENCY)
    by_code = {place.code: place for place in country().places}
    for code, city in ZONAL_CENTRES.items():
        yield _below(EMERGENCY, by_code[code], f"Centro Zonal ECU 911 {city}", f"ECU 911 Zonal Centre {city}")
    for code, city in LOCAL_CENTRES.items():
        place = by_code[code]
        yield _below(EMERGENCY, place, f"Centro Local ECU 911 {city}", f"ECU 911 Local Centre {city}", place.parent)


def _police():
    yield _root(POLICE)
    for place in country().places[1:]:
        yield _below(POLICE, place, *_police_name(place), parent=place.parent)


def _police_name(place):
    if place.code in (NOT_DELIMITED_ZONE, "SZ00", "000"):
        return place.name, "Not delimited"
    if place.level == SUBZONE and not place.code.startswith("SZ"):
        return f"Comando del {place.name}", f"{place.name} Command"
    words = {
        ZONE: ("Comando de {}", "{} Command"),
        SUBZONE: ("Comando de Subzona {}", "{} Subzone Command"),
        DISTRICT: ("Distrito {}", "{} District"),
        CIRCUIT: ("Circuito {}", "{} Circuit"),
        SUBCIRCUIT: ("UPC {}", ""),
    }[place.level]
    return words[0].format(place.name), words[1].format(place.name_en or place.name)


def _of(*grants):
    return tuple(grants)


DISTRICT_CODE, CIRCUIT_CODE, SUBCIRCUIT_CODE = "09D08", "09D08C02", "09D08C02S01"  # Nueva Prosperina, Fortín, Fortín 1

# Invented people. At least one account for every role, and one for every level that has its own page.
PEOPLE = (
    SamplePerson("ministra", "Elena", "Cárdenas", "Ministra del Interior", "es",
                 _of(("viewer", "EST-EC"), ("approver", "MDI-EC"))),
    SamplePerson("gabinete.zona8", "Hernán", "Plúas", "Secretario del Gabinete Zonal 8", "es",
                 _of(("reporter", "EST-Z8"), ("viewer", "PN-Z8"))),
    SamplePerson("comandante.general", "Marcelo", "Andrade", "Comandante General", "es", _of(("approver", "PN-EC"))),
    SamplePerson("jefe.zona8", "Patricia", "Villón", "Comandante de la Zona 8", "es", _of(("approver", "PN-Z8"))),
    SamplePerson("jefe.guayaquil", "Fausto", "Tomalá", "Comandante del DM Guayaquil", "es",
                 _of(("approver", "PN-DMG"))),
    SamplePerson("distrito.nueva.prosperina", "Jorge", "Mina", "Jefe del distrito Nueva Prosperina", "es",
                 _of(("approver", f"PN-{DISTRICT_CODE}"))),
    SamplePerson("comandante.circuito", "Rosa", "Quimí", "Comandante del circuito Fortín", "es",
                 _of(("reporter", f"PN-{CIRCUIT_CODE}"))),
    SamplePerson("upc.fortin", "Luis", "Yagual", "Encargado de la UPC Fortín 1", "es",
                 _of(("reporter", f"PN-{SUBCIRCUIT_CODE}"))),
    SamplePerson("analista", "Daniela", "Espinel", "Analista del DAID", "es", _of(("analyst", "PN-EC"))),
    SamplePerson("analista.zona8", "Bryan", "Castro", "Analista de la Zona 8", "es", _of(("analyst", "PN-Z8"))),
    SamplePerson("aprobador", "Teresa", "Loor", "Revisora de cifras, Zona 8", "es", _of(("approver", "PN-Z8"))),
    SamplePerson("observador", "Amparo", "Guerra", "Observatorio ciudadano", "es", _of(("viewer", "EST-EC"))),
    SamplePerson("observer", "Grace", "Whitaker", "Visiting observer", "en", _of(("viewer", "EST-EC"))),
    SamplePerson("auditor", "Ramiro", "Salgado", "Auditor", "es", _of(("auditor", "EST-EC"))),
    SamplePerson("integrador", "Servicio", "de integración", "Cuenta de servicio", "es", _of(("integrator", "EST-EC"))),
    SamplePerson("administrador", "Verónica", "Paredes", "Administradora del tablero", "es",
                 _of(("administrator", "EST-EC"))),
    SamplePerson("administrador.zona8", "Iván", "Murillo", "Administrador de unidades, Zona 8", "es",
                 _of(("unit_administrator", "PN-Z8"))),
    SamplePerson("administrador.policia", "Carmen", "Ortiz", "Administradora de planes de la Policía", "es",
                 _of(("administrator", "PN-EC"))),
    SamplePerson("fiscal", "Gustavo", "Romero", "Dirección de estadística, Fiscalía", "es",
                 _of(("approver", "FGE-EC"))),
    SamplePerson("fiscal.guayas", "Mónica", "Baque", "Fiscalía Provincial de Guayas", "es",
                 _of(("reporter", "FGE-SZ09"))),
    SamplePerson("ecu911", "Andrés", "Ponce", "Director de operaciones, ECU 911", "es", _of(("approver", "ECU-EC"))),
    SamplePerson("ecu911.zona8", "Karla", "Zambrano", "Centro Zonal Samborondón", "es", _of(("reporter", "ECU-Z8"))),
    SamplePerson("judicatura", "Paulina", "Jara", "Dirección de gestión procesal", "es", _of(("approver", "CJ-EC"))),
    SamplePerson("judicatura.azuay", "Esteban", "Ochoa", "Corte Provincial de Azuay", "es",
                 _of(("reporter", "CJ-SZ01"))),
    SamplePerson("interior", "Silvia", "Naranjo", "Planificación, Ministerio del Interior", "es",
                 _of(("reporter", "MDI-EC"))),
)  # fmt: skip
