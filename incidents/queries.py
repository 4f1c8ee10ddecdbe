"""An incident as people and machines read it: names instead of codes; what is reserved to whom it is open."""

import math
from collections import defaultdict

from incidents.drawn import Middles
from incidents.models import (
    STAGES,
    AlertClass,
    Channel,
    Factor,
    IncidentKey,
    Kind,
    PlacePrecision,
    Service,
    TimePrecision,
    Variable,
    VariableCode,
    Victim,
    Victimizer,
    Video,
)
from indicators.models import Sensitivity
from units.models import Unit
from units.permissions import Permission

CHOICES = {"channel": Channel, "alert_class": AlertClass, "service": Service, "video": Video}


def own_institutions(user):
    """Ids of the institutions in whose own tree the person may analyse; None for all."""
    if user.is_superuser:
        return None
    units = Unit.objects.visible_to(user, Permission.ANALYSE)
    return set(units.order_by().values_list("institution_id", flat=True).distinct())


def described(incidents, user):
    """Dicts of incidents (that the person may see), in their order. A fixed number of queries.

    What the dictionary calls reserved is told only of incidents of an institution in whose tree the person analyses.
    """
    incidents = list(incidents)
    own, words = own_institutions(user), Words()
    ids, days = [one.id for one in incidents], sorted({one.occurred_on for one in incidents})
    external = dict(IncidentKey.objects.filter(incident_id__in=ids).values_list("incident_id", "external_id"))
    people = {model: _people(model, ids, days) for model in (Victim, Victimizer)}
    middles, found = Middles(incidents), []
    for one in incidents:
        is_own = own is None or one.source_id in own
        said = facts(one, middles) | {"external_id": external.get(one.id)}
        said["variables"] = words.say(Factor.ENVIRONMENT, one.codes, one.numbers, is_own)
        said["victims"] = [words.say(Factor.VICTIM, *p, is_own) for p in people[Victim][one.id]]
        said["victimizers"] = [words.say(Factor.VICTIMIZER, *p, is_own) for p in people[Victimizer][one.id]]
        found.append(said)
    return found


def facts(one, middles):
    """What the columns of an incident, or of a past account of one, say: a dict in names instead of codes."""
    drawn = middles.of(one)
    said = {
        "id": one.id, "occurred_on": one.occurred_on, "occurred_at": one.occurred_at,
        "time_precision": TimePrecision(one.time_precision).name.lower(), "source": one.source.code,
        "category": one.category.code, "category_name": one.category.local_name,
        "territory": one.territory and one.territory.code, "territory_name": one.territory and one.territory.local_name,
        "place_precision": PlacePrecision(one.place_precision).name.lower(),
        "longitude": one.longitude, "latitude": one.latitude,
        "drawn_longitude": drawn and drawn.longitude, "drawn_latitude": drawn and drawn.latitude,
        "is_drawn_approximately": drawn.is_approximate if drawn else None,
    }  # fmt: skip
    said |= {stage: getattr(one, stage) for stage in STAGES}
    for name, choices in CHOICES.items():
        value = getattr(one, name)
        said[name] = choices(value).name.lower() if value else None
    return said


def _people(model, ids, days):
    found = defaultdict(list)
    held = model.objects.filter(incident_id__in=ids, occurred_on__in=days).order_by("incident_id", "ordinal")
    for pk, codes, numbers in held.values_list("incident_id", "codes", "numbers"):
        found[pk].append((codes, numbers))
    return found


class Words:
    """The dictionary as words: {(factor, kind): [(position, variable)]} and the names of codes."""

    def __init__(self):
        self.variables = defaultdict(list)
        for variable in Variable.objects.exclude(kind=Kind.COLUMN):
            self.variables[variable.factor, variable.kind].append(variable)
        self.names = {(code.variable_id, code.code): code.local_name for code in VariableCode.objects.all()}

    def reserved(self):
        """Fields ("victim.gender") of what the dictionary calls reserved."""
        held = (variable for variables in self.variables.values() for variable in variables)
        return {f"{one.factor}.{one.key}" for one in held if one.sensitivity == Sensitivity.RESERVED}

    def told(self, factor, is_own):
        """Keys of a factor's variables that may be told, in the dictionary's order."""
        held = [*self.variables[factor, Kind.CATEGORY], *self.variables[factor, Kind.NUMBER]]
        return [one.key for one in held if is_own or one.sensitivity != Sensitivity.RESERVED]

    def say(self, factor, codes, numbers, is_own):
        """{key: name or number} of what is stated, and may be told."""
        said = {}
        for kind, values in ((Kind.CATEGORY, codes), (Kind.NUMBER, numbers)):
            for variable in self.variables[factor, kind]:
                value = values[variable.position] if variable.position < len(values) else 0
                is_told = is_own or variable.sensitivity != Sensitivity.RESERVED
                if not is_told:
                    continue
                if kind == Kind.CATEGORY and value:
                    said[variable.key] = self.names.get((variable.pk, value), str(value))
                elif kind == Kind.NUMBER and variable.position < len(values) and not math.isnan(value):
                    said[variable.key] = value
        return said
