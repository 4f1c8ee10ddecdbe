"""Yearly plans of the sample's institutions: objectives in a tree, perspectives, weights and lines in order.

An objective holds either objectives or lines. Weights of siblings add up to 100 at every level. The State's plan cites
other institutions' indicators.
"""

from dataclasses import dataclass

from scorecard.sample.institutions import COURTS, EMERGENCY, MINISTRY, POLICE, PROSECUTOR, STATE

PERSPECTIVES = {
    "citizens": ("Ciudadanía", "Citizens"),
    "processes": ("Procesos", "Processes"),
    "resources": ("Recursos", "Resources"),
}
VIDEO_SINCE = 2016  # the platform that carries video evidence to the courts


@dataclass(frozen=True)
class SampleObjective:
    """Increase or reduce `what` by means of `means`. `key` names it in its plan ("2.1" stands under "2");
    `contributes_to` is a key in the State's plan of the year; `lines` are (indicator code, weight)."""

    key: str
    verb: str
    what: str
    what_en: str
    means: str
    means_en: str
    weight: float
    perspective: str
    lines: tuple[tuple[str, float], ...] = ()
    contributes_to: str = ""

    @property
    def parent(self) -> str:
        return self.key.rpartition(".")[0]


@dataclass(frozen=True)
class SamplePlan:
    institution: str
    year: int
    objectives: tuple[SampleObjective, ...]

    @property
    def lines(self) -> list[tuple[str, str, float]]:
        """(objective key, indicator code, weight), in order."""
        return [(objective.key, *line) for objective in self.objectives for line in objective.lines]

    @property
    def perspectives(self) -> list[str]:
        """Keys of PERSPECTIVES that the plan uses, in order."""
        used = {objective.perspective for objective in self.objectives}
        return [key for key in PERSPECTIVES if key in used]


_O = SampleObjective


def plans(years) -> list[SamplePlan]:
    """Every institution's plan of each of these years, the State's first."""
    return [SamplePlan(code, year, make(year)) for year in years for code, make in _PLANS.items()]


def _state(year):
    return (
        _O("1", "reduce", "la violencia letal", "lethal violence",
           "acción conjunta de Policía y Fiscalía en los territorios con más víctimas",
           "joint action of police and prosecutors where most victims are", 40, "citizens",
           (("PN.HOMICIDERATE", 75), ("FGE.CHARGED", 25))),
        _O("2", "reduce", "los delitos contra la propiedad", "crimes against property",
           "prevención situacional y control de los mercados de lo robado",
           "situational prevention and control of the markets for stolen goods", 25, "citizens",
           (("PN.ROBBERY.PERSONS", 40), ("PN.ROBBERY.HOMES", 20), ("PN.ROBBERY.CARS", 20),
            ("PN.ROBBERY.MOTORCYCLES", 20))),
        _O("3", "reduce", "el tiempo de respuesta a emergencias", "the time to respond to emergencies",
           "despacho único y patrulleros operativos", "one dispatch and patrol vehicles in service", 20, "processes",
           (("ECU.RESPONSE", 50), ("ECU.ANSWERED", 25), ("MDI.PATROLS", 25))),
        _O("4", "increase", "las causas que llegan a resolución", "cases that reach a ruling",
           "compromisos interinstitucionales del gabinete de seguridad",
           "commitments between institutions in the security cabinet", 15, "processes",
           (("FGE.RESOLVED", 40), ("CJ.ONTIME", 40), ("EST.AGREEMENTS", 20))),
    )  # fmt: skip


def _police(year):
    return (
        _O("1", "reduce", "los homicidios intencionales", "intentional homicides",
           "patrullaje focalizado en zonas calientes e investigación de estructuras",
           "patrols focused on hot spots and investigation of organisations", 40, "citizens",
           (("PN.HOMICIDERATE", 60), ("PN.HOMICIDES", 40)), contributes_to="1"),
        _O("2", "reduce", "los robos", "robberies", "prevención con la comunidad y control del delito",
           "prevention with the community and crime control", 30, "citizens", contributes_to="2"),
        _O("2.1", "reduce", "los robos en el espacio público y comercios", "robberies in public space and shops",
           "servicio de policía comunitaria por cuadrantes", "community policing by quadrants", 55, "citizens",
           (("PN.ROBBERY.PERSONS", 60), ("PN.ROBBERY.BUSINESSES", 40))),
        _O("2.2", "reduce", "los robos a domicilios y vehículos", "robberies of homes and vehicles",
           "barrios seguros y control de vías y talleres", "safe neighbourhoods and control of roads and workshops", 45,
           "citizens",
           (("PN.ROBBERY.HOMES", 35), ("PN.ROBBERY.CARS", 25), ("PN.ROBBERY.MOTORCYCLES", 25),
            ("PN.ROBBERY.PARTS", 15))),
        _O("3", "increase", "los resultados operativos", "operational results", "operativos basados en inteligencia",
           "operations based on intelligence", 20, "processes"),
        _O("3.1", "increase", "las detenciones y desarticulaciones", "arrests and organisations dismantled",
           "equipos de captura y trabajo con Fiscalía", "capture teams and work with prosecutors", 60, "processes",
           (("PN.WANTED", 40), ("PN.FIREARMS", 35), ("PN.GANGS", 25))),
        _O("3.2", "increase", "los vehículos recuperados", "vehicles recovered", "control de vías, patios y talleres",
           "control of roads, yards and workshops", 40, "processes",
           (("PN.CARSFOUND", 50), ("PN.MOTORCYCLESFOUND", 50))),
        _O("4", "increase", "la participación ciudadana", "citizens' participation",
           "reuniones de barrio y asambleas en cada circuito", "neighbourhood meetings and assemblies in every circuit",
           10, "processes", (("PN.MEETINGS", 50), ("PN.ASSEMBLIES", 50))),
    )  # fmt: skip


def _prosecutor(year):
    return (
        _O("1", "increase", "las denuncias resueltas", "complaints resolved", "gestión por tipos de caso y depuración",
           "case management by type and clearing of the backlog", 60, "citizens", (("FGE.RESOLVED", 100),),
           contributes_to="4"),
        _O("2", "increase", "las muertes violentas judicializadas", "violent deaths brought to court",
           "unidades especializadas con la Policía", "specialised units with the police", 40, "processes",
           (("FGE.CHARGED", 100),), contributes_to="1"),
    )  # fmt: skip


def _emergency(year):
    return (
        _O("1", "reduce", "el tiempo de respuesta", "response time", "despacho del recurso más cercano",
           "dispatch of the nearest resource", 50, "citizens", (("ECU.RESPONSE", 60), ("ECU.RESPONSE90", 40)),
           contributes_to="3"),
        _O("2", "increase", "la oportunidad de la atención", "timely attention", "turnos según la demanda por hora",
           "shifts that follow demand by the hour", 30, "processes", (("ECU.ANSWERED", 50), ("ECU.DISPATCHED", 50)),
           contributes_to="3"),
        _O("3", "reduce", "las emergencias de seguridad ciudadana", "citizen-security emergencies",
           "videovigilancia preventiva en puntos críticos", "preventive video surveillance of critical points", 20,
           "citizens", (("ECU.SECURITY", 100),), contributes_to="2"),
    )  # fmt: skip


def _courts(year):
    hearings = _O("1", "increase", "las audiencias a tiempo", "hearings held on time",
                  "agendamiento único y notificación electrónica", "one calendar and electronic notice", 60, "citizens",
                  (("CJ.ONTIME", 55), ("CJ.FLAGRANCY", 45)), contributes_to="4")  # fmt: skip
    video = _O("2", "increase", "la evidencia que llega a tiempo", "evidence that arrives in time",
               "la plataforma de entrega de video", "the platform that delivers video", 40, "processes",
               (("CJ.EVIDENCE", 100),), contributes_to="4")  # fmt: skip
    return (hearings, video) if year >= VIDEO_SINCE else (_heavier(hearings, 100),)


def _heavier(objective, weight):
    return SampleObjective(**{**objective.__dict__, "weight": weight})


def _ministry(year):
    return (
        _O("1", "increase", "la capacidad de las unidades policiales", "the capacity of police units",
           "mantenimiento de UPC y flota", "upkeep of community police units and vehicles", 70, "resources",
           (("MDI.UPC", 50), ("MDI.PATROLS", 50)), contributes_to="3"),
        _O("2", "increase", "la calidad del gasto", "quality of spending", "programación trimestral y compras a tiempo",
           "quarterly scheduling and timely purchases", 30, "resources", (("MDI.BUDGET", 100),)),
    )  # fmt: skip


_PLANS = {
    STATE: _state,
    POLICE: _police,
    PROSECUTOR: _prosecutor,
    EMERGENCY: _emergency,
    COURTS: _courts,
    MINISTRY: _ministry,
}
