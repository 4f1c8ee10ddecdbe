"""Indicator sheets of the sample country: what is measured, by whom, in which direction and how it rolls up.

Field names are those of the stored sheet. Numbers are those of `indicators.codes`. Wording is the sample's own, not an
official definition.
"""

from dataclasses import dataclass
from datetime import date

from indicators.codes import LightBy, Rule, Sense
from scorecard.sample.institutions import COURTS, EMERGENCY, MINISTRY, POLICE, PROSECUTOR, STATE
from scorecard.sample.territories import CIRCUIT, DISTRICT, NATION, SUBCIRCUIT, SUBZONE, ZONE

NONE, REPORTED, POPULATION = range(3)  # kinds of denominator

FIRST_MONTH = date(2014, 1, 1)


@dataclass(frozen=True)
class SampleSheet:
    """One version of an indicator sheet. `levels` are those of the units that report it; `responsible` and `approver`
    are usernames; `is_entered` means typed by hand on the entry page."""

    code: str
    institution: str
    levels: tuple[int, ...]
    name: str
    name_en: str
    description: str
    description_en: str
    unit_of_measure: str
    unit_of_measure_en: str
    numerator: str
    numerator_source: str
    sense: int
    responsible: str
    approver: str
    denominator: str = ""
    denominator_source: str = ""
    denominator_kind: int = NONE
    hierarchy: str = "result"
    behaviour: str = "discrete"
    sensitivity: str = "internal"
    accumulation: str = ""
    decimals: int = 0
    frequency: int = 12
    lag_days: int = 5
    scale: float = 1.0
    is_count: bool = False
    tolerance: float | None = None
    over_units: int = Rule.SUM
    over_time: int = Rule.SUM
    denominator_over_units: int = Rule.SUM
    denominator_over_time: int = Rule.SUM
    light_by: int = LightBy.TO_DATE
    evidence_required: bool = False
    is_entered: bool = False
    valid_from: date = FIRST_MONTH
    version: int = 1


def _count(code, levels, spanish, english, about, sense, source, **more):
    """A count of events: adds up over units and months."""
    defaults = {
        "institution": POLICE, "unit_of_measure": "casos", "unit_of_measure_en": "cases", "numerator": spanish,
        "responsible": "comandante.general", "approver": "aprobador", "is_count": True,
    }  # fmt: skip
    return SampleSheet(
        code=code, levels=levels, name=spanish, name_en=english, description=about[0], description_en=about[1],
        sense=sense, numerator_source=source, **defaults | more,
    )  # fmt: skip


def _robbery(code, spanish, english):
    about = (
        "Denuncias de robo registradas por fecha del hecho, en el subcircuito donde ocurrió.",
        "Complaints of robbery by the date of the event, in the subcircuit where it happened.",
    )
    return _count(
        f"PN.ROBBERY.{code}", (SUBCIRCUIT,), spanish, english, about, Sense.LOWER, "Denuncias, Fiscalía (simulado)",
        hierarchy="impact", unit_of_measure="denuncias", unit_of_measure_en="complaints", accumulation="reduction",
    )  # fmt: skip


def _output(code, spanish, english, about, levels=(CIRCUIT,), **more):
    return _count(
        f"PN.{code}", levels, spanish, english, about, Sense.HIGHER, "Parte del comandante (simulado)",
        **{"hierarchy": "process", "is_entered": True, "accumulation": "accumulated"} | more,
    )  # fmt: skip


def _share(code, institution, levels, words, parts, people, source, **more):
    """A percentage: ratio of sums over units and over months."""
    return SampleSheet(
        code=f"{institution}.{code}", institution=institution, levels=levels,
        name=words[0], name_en=words[1], description=words[2], description_en=words[3],
        numerator=parts[0], denominator=parts[1], numerator_source=source, denominator_source=source,
        responsible=people[0], approver=people[1],
        **{
            "sense": Sense.HIGHER, "unit_of_measure": "%", "unit_of_measure_en": "%", "scale": 100.0, "decimals": 1,
            "denominator_kind": REPORTED, "over_units": Rule.RATIO, "over_time": Rule.RATIO, "behaviour": "continuous",
            "accumulation": "capacity",
        } | more,
    )  # fmt: skip


MDI_FILE = "Ministerio del Interior, homicidios intencionales (totales anuales reales; detalle simulado)"

_POLICE = (
    _count(
        "PN.HOMICIDES", (SUBCIRCUIT,), "Homicidios intencionales", "Intentional homicides",
        ("Víctimas de asesinato, homicidio, femicidio y sicariato, por fecha y lugar del hecho.",
         "Victims of murder, homicide, femicide and contract killing, by date and place of the event."),
        Sense.LOWER, MDI_FILE, hierarchy="impact", unit_of_measure="víctimas", unit_of_measure_en="victims",
        sensitivity="public", accumulation="reduction", numerator="Víctimas de homicidio intencional",
    ),
    _count(
        "PN.HOMICIDERATE", (DISTRICT,), "Tasa de homicidios intencionales", "Intentional homicide rate",
        ("Víctimas por 100.000 habitantes con la población de ese año; el mes no se anualiza.",
         "Victims per 100,000 people with that year's population; a month is not annualised."),
        Sense.LOWER, MDI_FILE, hierarchy="impact", unit_of_measure="víctimas por 100.000 habitantes",
        unit_of_measure_en="victims per 100,000 people", sensitivity="public", accumulation="reduction",
        numerator="Víctimas de homicidio intencional", denominator="Población del año",
        denominator_source="INEC, proyecciones", denominator_kind=POPULATION, scale=100_000.0, decimals=2,
        over_units=Rule.RATIO, over_time=Rule.RATIO, denominator_over_time=Rule.LAST, is_count=False,
        behaviour="continuous",
    ),
    _robbery("PERSONS", "Robo a personas", "Robbery of persons"),
    _robbery("HOMES", "Robo a domicilios", "Robbery of homes"),
    _robbery("CARS", "Robo de carros", "Robbery of cars"),
    _robbery("MOTORCYCLES", "Robo de motos", "Robbery of motorcycles"),
    _robbery("BUSINESSES", "Robo a unidades económicas", "Robbery of economic units"),
    _robbery("PARTS", "Robo de bienes, accesorios y autopartes", "Robbery of goods, accessories and auto parts"),
    _output("WANTED", "Personas requeridas detenidas", "Wanted persons arrested",
            ("Personas con orden de captura vigente detenidas por el circuito.",
             "People with a warrant in force arrested by the circuit."),
            unit_of_measure="personas", unit_of_measure_en="people"),
    _output("FIREARMS", "Armas de fuego ilegales incautadas", "Illegal firearms seized",
            ("Armas de fuego sin permiso incautadas, puestas en cadena de custodia.",
             "Firearms without a permit seized and put into the chain of custody."),
            unit_of_measure="armas", unit_of_measure_en="firearms", evidence_required=True),
    _output("CARSFOUND", "Vehículos recuperados", "Vehicles recovered",
            ("Vehículos denunciados como robados que el circuito recuperó.",
             "Vehicles reported as stolen that the circuit recovered."),
            unit_of_measure="vehículos", unit_of_measure_en="vehicles"),
    _output("MOTORCYCLESFOUND", "Motos recuperadas", "Motorcycles recovered",
            ("Motocicletas denunciadas como robadas que el circuito recuperó.",
             "Motorcycles reported as stolen that the circuit recovered."),
            unit_of_measure="motos", unit_of_measure_en="motorcycles"),
    _output("GANGS", "Organizaciones delictivas desarticuladas", "Criminal organisations dismantled",
            ("Organizaciones desarticuladas en casos con flagrancia o investigación del distrito.",
             "Organisations dismantled in cases of the district."),
            levels=(DISTRICT,), unit_of_measure="organizaciones", unit_of_measure_en="organisations",
            evidence_required=True),
    _output("MEETINGS", "Reuniones de barrio seguro", "Safe neighbourhood meetings",
            ("Reuniones de barrio seguro realizadas, con acta.", "Safe neighbourhood meetings held, with minutes."),
            unit_of_measure="reuniones", unit_of_measure_en="meetings"),
    _output("ASSEMBLIES", "Asambleas comunitarias", "Community assemblies",
            ("Asambleas comunitarias realizadas con autoridades y vecinos.",
             "Community assemblies held with authorities and neighbours."),
            unit_of_measure="asambleas", unit_of_measure_en="assemblies"),
)  # fmt: skip

_TIME = {
    "unit_of_measure": "minutos", "unit_of_measure_en": "minutes", "sense": Sense.LOWER, "decimals": 1,
    "over_units": Rule.NONE, "over_time": Rule.MEAN, "behaviour": "continuous", "accumulation": "reduction",
    "institution": EMERGENCY, "levels": (NATION, ZONE, SUBZONE), "responsible": "ecu911", "approver": "ecu911",
    "numerator_source": "ECU 911 (simulado)",
}  # fmt: skip

_EMERGENCY = (
    SampleSheet(
        code="ECU.RESPONSE", name="Tiempo de respuesta, mediana", name_en="Response time, median",
        description="Mediana de minutos entre la alerta y la llegada, en cada nivel de todos sus incidentes. Entre "
        "meses: media de las medianas, una aproximación.",
        description_en="Median minutes from alert to arrival, at each level of all its incidents. Over months: mean of "
        "the medians, an approximation.",
        numerator="Mediana de minutos", **_TIME,
    ),
    SampleSheet(
        code="ECU.RESPONSE90", name="Tiempo de respuesta, percentil 90", name_en="Response time, 90th percentile",
        description="Percentil 90 de minutos entre la alerta y la llegada, en cada nivel de todos sus incidentes. "
        "Entre meses: media, una aproximación.",
        description_en="90th percentile of minutes from alert to arrival, at each level of all its incidents. "
        "Over months: mean, an approximation.",
        numerator="Percentil 90 de minutos", **_TIME,
    ),
    _share("ANSWERED", EMERGENCY, (ZONE, SUBZONE),
           ("Llamadas contestadas en 10 segundos", "Calls answered within 10 seconds",
            "Llamadas contestadas en los primeros 10 segundos.", "Calls answered within the first 10 seconds."),
           ("Llamadas contestadas en 10 segundos", "Llamadas recibidas"), ("ecu911", "ecu911"), "ECU 911 (simulado)",
           hierarchy="process"),
    _share("DISPATCHED", EMERGENCY, (ZONE, SUBZONE),
           ("Despachos en 3 minutos", "Dispatches within 3 minutes",
            "Incidentes con recurso despachado en 3 minutos desde la alerta.",
            "Incidents with a resource dispatched within 3 minutes of the alert."),
           ("Despachos en 3 minutos", "Incidentes con despacho"), ("ecu911", "ecu911"), "ECU 911 (simulado)",
           hierarchy="process"),
    _count("ECU.SECURITY", (ZONE, SUBZONE), "Emergencias de seguridad ciudadana", "Citizen-security emergencies",
           ("Emergencias reales del servicio de seguridad ciudadana, por fecha y lugar de la alerta.",
            "Real emergencies of the citizen-security service, by date and place of the alert."),
           Sense.LOWER, "ECU 911 (simulado)", institution=EMERGENCY, responsible="ecu911", approver="ecu911",
           hierarchy="impact", unit_of_measure="emergencias", unit_of_measure_en="emergencies",
           accumulation="reduction"),
)  # fmt: skip

_JUSTICE = (
    _share("RESOLVED", PROSECUTOR, (SUBZONE,),
           ("Denuncias resueltas", "Complaints resolved",
            "Denuncias con resolución en el mes frente a las ingresadas en el mes.",
            "Complaints resolved in the month against those that came in."),
           ("Denuncias resueltas", "Denuncias ingresadas"), ("fiscal", "fiscal"), "Fiscalía (simulado)",
           is_entered=True),
    _share("CHARGED", PROSECUTOR, (SUBZONE,),
           ("Muertes violentas con formulación de cargos", "Violent deaths with charges filed",
            "Investigaciones por homicidio intencional con cargos formulados en 90 días.",
            "Investigations of intentional homicide with charges filed within 90 days."),
           ("Investigaciones con cargos", "Investigaciones abiertas hace 90 días"), ("fiscal", "fiscal"),
           "Fiscalía (simulado)", is_entered=True),
    _share("ONTIME", COURTS, (SUBZONE,),
           ("Audiencias realizadas a tiempo", "Hearings held on time",
            "Audiencias penales instaladas en la fecha de su primera convocatoria.",
            "Criminal hearings opened on the date first set."),
           ("Audiencias instaladas a tiempo", "Audiencias convocadas"), ("judicatura", "judicatura"),
           "Judicatura (simulado)", is_entered=True),
    _share("FLAGRANCY", COURTS, (SUBZONE,),
           ("Flagrancias con resolución en plazo", "Flagrancy cases ruled in time",
            "Causas de flagrancia resueltas dentro del plazo legal.", "Flagrancy cases ruled within the legal term."),
           ("Causas resueltas en plazo", "Causas de flagrancia"), ("judicatura", "judicatura"),
           "Judicatura (simulado)", is_entered=True),
    _share("EVIDENCE", COURTS, (SUBZONE,),
           ("Evidencia de video entregada en 48 horas", "Video evidence delivered within 48 hours",
            "Solicitudes de video atendidas por la plataforma en 48 horas.",
            "Requests for video answered through the platform within 48 hours."),
           ("Solicitudes atendidas en 48 horas", "Solicitudes de video"), ("judicatura", "judicatura"),
           "Judicatura (simulado)", hierarchy="process", valid_from=date(2016, 1, 1)),
)  # fmt: skip

_GOVERNMENT = (
    _share("UPC", MINISTRY, (ZONE,),
           ("UPC en buen estado", "Community police units in good order",
            "UPC que pasan la revisión trimestral de infraestructura y equipo.",
            "Community police units that pass the quarterly review of building and equipment."),
           ("UPC en buen estado", "UPC revisadas"), ("interior", "ministra"), "Ministerio del Interior (simulado)",
           sense=Sense.IMPROVE_HIGHER, frequency=4, over_time=Rule.LAST, denominator_over_time=Rule.LAST,
           light_by=LightBy.MONTH, hierarchy="input", is_entered=True, accumulation="stock"),
    _share("PATROLS", MINISTRY, (ZONE,),
           ("Patrulleros operativos", "Patrol vehicles in service",
            "Patrulleros y motos en servicio el último día del mes.",
            "Patrol cars and motorcycles in service on the last day of the month."),
           ("Vehículos en servicio", "Vehículos asignados"), ("interior", "ministra"),
           "Ministerio del Interior (simulado)", over_time=Rule.LAST, denominator_over_time=Rule.LAST,
           light_by=LightBy.MONTH, hierarchy="input", is_entered=True, accumulation="stock"),
    _share("BUDGET", MINISTRY, (ZONE,),
           ("Ejecución presupuestaria", "Budget execution",
            "Devengado frente a lo programado; es tan malo quedarse corto como pasarse.",
            "Spent against scheduled; too little is as bad as too much."),
           ("Devengado, miles de dólares", "Programado, miles de dólares"), ("interior", "ministra"),
           "Ministerio del Interior (simulado)", sense=Sense.WITHIN, tolerance=30.0, hierarchy="input",
           is_entered=True),
    _share("AGREEMENTS", STATE, (ZONE,),
           ("Compromisos del gabinete cumplidos", "Cabinet commitments kept",
            "Compromisos del gabinete zonal de seguridad cumplidos a su fecha.",
            "Commitments of the zonal security cabinet kept by their date."),
           ("Compromisos cumplidos a tiempo", "Compromisos con vencimiento en el mes"), ("gabinete.zona8", "ministra"),
           "Secretaría del gabinete (simulado)", hierarchy="process", is_entered=True),
)  # fmt: skip

SHEETS = (*_POLICE, *_EMERGENCY, *_JUSTICE, *_GOVERNMENT)
POSITION = {sheet.code: i for i, sheet in enumerate(SHEETS)}
