"""reporting_incident: incidents in columns that people read, for whoever asks by SQL. Made anew from the dictionary.

What is reserved is not in it. Victims and victimizers are counted; each stands in reporting_victim and
reporting_victimizer.
"""

from django.db import connection, transaction
from psycopg import sql

from incidents.models import AlertClass, Channel, Factor, Kind, PlacePrecision, Service, Variable, Video
from indicators.models import Sensitivity

VIEWS = {
    "reporting_incident": Factor.ENVIRONMENT,
    "reporting_victim": Factor.VICTIM,
    "reporting_victimizer": Factor.VICTIMIZER,
}
INCIDENT = """
CREATE VIEW reporting_incident AS
SELECT i.id, k.external_id, s.code AS source, s.name AS source_name, c.code AS category, c.name AS category_name,
    c.iccs, i.occurred_on, i.occurred_at, t.code AS territory, t.name AS territory_name, {place} AS place_precision,
    i.longitude, i.latitude, i.reported_at, i.received_at, i.answered_at, i.dispatched_at, i.arrived_at, i.closed_at,
    {channel} AS channel, {alert_class} AS alert_class, {service} AS service, {video} AS video,
    (SELECT count(*) FROM incidents_victim p WHERE p.occurred_on = i.occurred_on AND p.incident_id = i.id) AS victims,
    (SELECT count(*) FROM incidents_victimizer p
     WHERE p.occurred_on = i.occurred_on AND p.incident_id = i.id) AS victimizers{variables}
FROM incidents_incident i
LEFT JOIN units_institution s ON s.id = i.source_id
LEFT JOIN incidents_category c ON c.id = i.category_id
LEFT JOIN units_territory t ON t.id = i.territory_id
LEFT JOIN incidents_incidentkey k ON k.incident_id = i.id
"""
PERSON = """
CREATE VIEW {view} AS
SELECT i.incident_id, i.occurred_on, i.ordinal{variables} FROM {table} i
"""


GRANTED = """
SELECT grantee, privilege_type FROM information_schema.role_table_grants
WHERE table_schema = current_schema() AND table_name = %s AND grantee <> current_user
"""
COLUMNS = """
SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = %s
"""
OF_PERSONS = {"incident_id", "occurred_on", "ordinal"}


def own_columns(factor):
    """Names that no variable of the factor may have: the view has columns of these names."""
    if factor != Factor.ENVIRONMENT:
        return OF_PERSONS
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, ["reporting_incident"])
        held = {name for (name,) in cursor.fetchall()}
    return held - set(Variable.objects.filter(factor=factor).values_list("key", flat=True))


def create():
    """Make the views as the dictionary is now. Whoever might read them may read them afterwards."""
    choices = {
        "channel": Channel, "alert_class": AlertClass, "service": Service, "video": Video, "place": PlacePrecision,
    }  # fmt: skip
    named = {name: _case("place_precision" if name == "place" else name, kinds) for name, kinds in choices.items()}
    with transaction.atomic(), connection.cursor() as cursor:
        for view, factor in VIEWS.items():
            cursor.execute(GRANTED, [view])
            granted = cursor.fetchall()
            _run(cursor, sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(view)))
            variables = sql.SQL("").join(map(_variable, _told(factor)))
            if factor == Factor.ENVIRONMENT:
                _run(cursor, sql.SQL(INCIDENT).format(variables=variables, **named))
            else:
                table = sql.Identifier(f"incidents_{factor}")
                _run(cursor, sql.SQL(PERSON).format(view=sql.Identifier(view), table=table, variables=variables))
            for role, verb in granted:
                grant = sql.SQL("GRANT {} ON {} TO {}")
                who = sql.SQL("PUBLIC") if role == "PUBLIC" else sql.Identifier(role)
                _run(cursor, grant.format(sql.SQL(verb), sql.Identifier(view), who))


def _run(cursor, statement):
    """As text: who keeps the history reads what is executed."""
    cursor.execute(statement.as_string(cursor.connection))


def _told(factor):
    held = Variable.objects.filter(factor=factor).exclude(kind=Kind.COLUMN)
    return held.exclude(sensitivity=Sensitivity.RESERVED).order_by("kind", "position")


def _case(column, kinds):
    """The name of a choice in words of the API; NULL where it is not stated."""
    whens = [
        sql.SQL("WHEN {} THEN {}").format(sql.Literal(kind.value), sql.Literal(kind.name.lower())) for kind in kinds
    ]
    return sql.SQL("CASE i.{} {} END").format(sql.Identifier(column), sql.SQL(" ").join(whens))


def _variable(variable):
    """A column of the view: the name of the code, or the number; NULL where it is not stated."""
    at, name = sql.Literal(variable.position + 1), sql.Identifier(variable.key)
    if variable.kind == Kind.NUMBER:
        return sql.SQL(", nullif(i.numbers[{}], 'NaN') AS {}").format(at, name)
    return sql.SQL(
        ", (SELECT v.name FROM incidents_variablecode v WHERE v.variable_id = {} AND v.code = i.codes[{}]) AS {}"
    ).format(sql.Literal(variable.pk), at, name)
