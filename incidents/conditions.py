"""What an event rule asks of an incident and of the persons in it: conditions as data, checked, and as SQL.

A condition names a field and the codes it may have, {"field": "victim.sex", "in": [2]}, 0 standing for "not stated"; or
of a number its bounds, both included, {"field": "victim.age", "from": 0, "to": 17}. Of what is counted it is asked
itself; of other persons, whether the incident has one such.
"""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from incidents.models import Kind, Variable
from indicators.models import Sensitivity

COLUMNS = {"service": 7, "channel": 4, "alert_class": 4, "video": 3}  # the highest code of each
EVENT, VICTIM, VICTIMIZER = "event", "victim", "victimizer"
ALIAS = {EVENT: "i", VICTIM: "v", VICTIMIZER: "o"}
PERSONS = {VICTIM: "incidents_victim", VICTIMIZER: "incidents_victimizer"}
JOINED = "{alias}.occurred_on = i.occurred_on AND {alias}.incident_id = i.id"


def whose(condition):
    """Of what a condition speaks: the event, a victim or a victimizer."""
    factor = condition["field"].partition(".")[0]
    return factor if factor in PERSONS else EVENT


def check(conditions):
    """Refuse what is not a list of conditions over columns and variables that there are. ValidationError."""
    if not isinstance(conditions, list):
        raise ValidationError(_("Conditions are a list."))
    variables = variables_by_field()
    for number, condition in enumerate(conditions, start=1):
        problem = _problem(condition, variables)
        if problem:
            raise ValidationError(_("Condition %(number)d: %(problem)s") % {"number": number, "problem": problem})


def variables_by_field():
    """The dictionary's variables that are kept in arrays, by field ("victim.age")."""
    return {f"{v.factor}.{v.key}": v for v in Variable.objects.exclude(kind=Kind.COLUMN)}


def _problem(condition, variables):
    if not isinstance(condition, dict) or not isinstance(condition.get("field"), str):
        return _("it names no field.")
    field = condition["field"]
    if field in COLUMNS:
        return _codes_problem(condition, COLUMNS[field])
    if field not in variables:
        return _("there is no variable “%(field)s”.") % {"field": field}
    if variables[field].sensitivity == Sensitivity.RESERVED:  # figures go to people who may not read it
        return _("“%(field)s” is reserved: no indicator is made of it.") % {"field": field}
    if variables[field].is_retired:
        return _("“%(field)s” is retired.") % {"field": field}
    if variables[field].kind == Kind.CATEGORY:
        return _codes_problem(condition, 32_767)
    return _bounds_problem(condition)


def _codes_problem(condition, highest):
    codes = condition.get("in")
    if set(condition) != {"field", "in"} or not isinstance(codes, list) or not codes:
        return _("it lists no codes.")
    if not all(type(code) is int and 0 <= code <= highest for code in codes):
        return _("a code is not a whole number from 0 to %(highest)d.") % {"highest": highest}
    return ""


def _bounds_problem(condition):
    bounds = [condition[name] for name in ("from", "to") if name in condition]
    if set(condition) - {"field", "from", "to"} or not bounds:
        return _("it has no bounds.")
    if not all(type(bound) in (int, float) and abs(bound) < 1e9 for bound in bounds):
        return _("a bound is not a number.")
    if bounds != sorted(bounds):
        return _("it ends below where it begins.")
    return ""


def joined(owner, days=None):
    """(SQL, parameters) by which persons are those of the incident `i`.

    days: [first, end) of the incidents, said of the persons too, for the database does not conclude it: it would look
    into every year.
    """
    clause = JOINED.format(alias=ALIAS[owner])
    if days is None:
        return clause, []
    return f"{clause} AND {ALIAS[owner]}.occurred_on >= %s AND {ALIAS[owner]}.occurred_on < %s", [*days]


def where(conditions, counted, days=None):
    """(SQL with a place for each parameter, parameters) for what is counted: an event, a victim or a victimizer.

    days: [first, end) of the events, where they are known.
    """
    variables = variables_by_field() if any("." in condition["field"] for condition in conditions) else {}
    parts, parameters = [], []
    others = {}
    for condition in conditions:
        owner = whose(condition)
        clause, values = _clause(condition, variables)
        if owner in (EVENT, counted):
            parts.append(clause)
            parameters += values
        else:
            others.setdefault(owner, []).append((clause, values))
    for owner, clauses in others.items():
        of_it, bounds = joined(owner, days)
        all_of = " AND ".join(clause for clause, _values in clauses)
        parts.append(f"EXISTS (SELECT FROM {PERSONS[owner]} {ALIAS[owner]} WHERE {of_it} AND {all_of})")
        parameters += [*bounds, *(value for _clause, values in clauses for value in values)]
    return " AND ".join(parts) or "true", parameters


def _clause(condition, variables):
    field = condition["field"]
    if field in COLUMNS:
        return f"i.{field} = ANY(%s)", [condition["in"]]
    variable = variables[field]
    alias = ALIAS[whose(condition)]
    if variable.kind == Kind.CATEGORY:
        return f"coalesce({alias}.codes[{variable.position + 1}], 0) = ANY(%s)", [condition["in"]]
    column = f"{alias}.numbers[{variable.position + 1}]"
    bounds = [(sign, condition[name]) for name, sign in (("from", ">="), ("to", "<=")) if name in condition]
    clause = " AND ".join(f"{column} {sign} %s" for sign, _bound in bounds)
    return f"({clause} AND {column} <> 'NaN')", [bound for _sign, bound in bounds]
