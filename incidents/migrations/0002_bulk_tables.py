"""The tables of incidents, of their victims and victimizers: partitioned by the year of the event, a day's rows together.

None has foreign keys in the database, as the bulk tables of figures have none: what is written goes through
incidents.actions, and nothing that an incident points at is ever deleted. `id` is ours, given once; a source's own
identifier is unique in incidents_incidentkey, since a partitioned table cannot hold that rule over all years.
"""

from django.db import migrations

from units.partitions import yearly

INCIDENT = """
CREATE SEQUENCE incidents_incident_id_seq AS bigint;
CREATE TABLE incidents_incident (
    id bigint NOT NULL DEFAULT nextval('incidents_incident_id_seq'),
    occurred_at time,
    longitude double precision,
    latitude double precision,
    reported_at timestamptz,
    received_at timestamptz,
    answered_at timestamptz,
    dispatched_at timestamptz,
    arrived_at timestamptz,
    closed_at timestamptz,
    occurred_on date NOT NULL,
    source_id integer NOT NULL,
    category_id integer NOT NULL,
    territory_id integer,
    place_code_id integer,
    publication_id integer,
    time_precision smallint NOT NULL,
    place_precision smallint NOT NULL,
    channel smallint NOT NULL DEFAULT 0,
    alert_class smallint NOT NULL DEFAULT 0,
    service smallint NOT NULL DEFAULT 0,
    video smallint NOT NULL DEFAULT 0,
    codes smallint[] NOT NULL DEFAULT '{}',
    numbers real[] NOT NULL DEFAULT '{}',
    CONSTRAINT incident_key PRIMARY KEY (occurred_on, id),
    CONSTRAINT incident_time CHECK ((occurred_at IS NULL) = (time_precision = 1)),
    CONSTRAINT incident_point CHECK ((longitude IS NULL) = (latitude IS NULL)),
    CONSTRAINT incident_precision CHECK ((longitude IS NOT NULL) = (place_precision = 1)),
    CONSTRAINT incident_on_earth CHECK (longitude BETWEEN -180 AND 180 AND latitude BETWEEN -90 AND 90),
    CONSTRAINT incident_arrival CHECK (arrived_at >= received_at),
    CONSTRAINT incident_choices CHECK (
        channel BETWEEN 0 AND 4 AND alert_class BETWEEN 0 AND 4 AND service BETWEEN 0 AND 7 AND video BETWEEN 0 AND 3
    )
) PARTITION BY RANGE (occurred_on);
ALTER SEQUENCE incidents_incident_id_seq OWNED BY incidents_incident.id;
CREATE INDEX incident_id ON incidents_incident (id);
CREATE INDEX incident_territory ON incidents_incident (territory_id, occurred_on);
"""

PERSON = """
CREATE TABLE incidents_{person} (
    incident_id bigint NOT NULL,
    occurred_on date NOT NULL,
    ordinal smallint NOT NULL,
    codes smallint[] NOT NULL DEFAULT '{{}}',
    numbers real[] NOT NULL DEFAULT '{{}}',
    CONSTRAINT {person}_key PRIMARY KEY (occurred_on, incident_id, ordinal)
) PARTITION BY RANGE (occurred_on);
"""


def _people(person):
    table = f"incidents_{person}"
    return migrations.RunSQL(PERSON.format(person=person) + yearly(table), f"DROP TABLE {table}")


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_tables")]

    operations = [
        migrations.RunSQL(INCIDENT + yearly("incidents_incident"), "DROP TABLE incidents_incident"),
        _people("victim"),
        _people("victimizer"),
    ]
