"""The tables of figures and targets: one row a figure, (month, indicator, unit) first, partitioned by year.

Neither has foreign keys in the database: a key's trigger a row would cost bulk writes two thirds of their speed. What is
written goes through indicators.actions, which checks every row against units and assignments, and neither units nor
indicators are ever deleted once they have figures (units close, sheets end).
"""

from django.db import migrations

from units.partitions import yearly

MEASUREMENT = """
CREATE TABLE indicators_measurement (
    month date NOT NULL,
    indicator_id integer NOT NULL,
    unit_id integer NOT NULL,
    numerator double precision,
    denominator double precision,
    state smallint NOT NULL DEFAULT 1,
    is_provisional boolean NOT NULL DEFAULT true,
    source varchar(20) NOT NULL,
    batch_id integer,
    recorded_by_id integer,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT measurement_key PRIMARY KEY (month, indicator_id, unit_id),
    CONSTRAINT measurement_month CHECK (extract(day FROM month) = 1),
    CONSTRAINT measurement_figure CHECK ((state = 1 AND numerator IS NOT NULL) OR (state = 2 AND numerator IS NULL)),
    CONSTRAINT measurement_finite CHECK (numerator < 'Infinity' AND numerator > '-Infinity')
) PARTITION BY RANGE (month);
"""

TARGET = """
CREATE TABLE indicators_target (
    month date NOT NULL,
    indicator_id integer NOT NULL,
    unit_id integer NOT NULL,
    value double precision,
    low double precision,
    high double precision,
    baseline double precision,
    batch_id integer,
    recorded_by_id integer,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT target_key PRIMARY KEY (month, indicator_id, unit_id),
    CONSTRAINT target_month CHECK (extract(day FROM month) = 1),
    CONSTRAINT target_range CHECK (low <= high)
) PARTITION BY RANGE (month);
"""


class Migration(migrations.Migration):
    dependencies = [("indicators", "0002_initial")]

    operations = [
        migrations.RunSQL(MEASUREMENT + yearly("indicators_measurement"), "DROP TABLE indicators_measurement"),
        migrations.RunSQL(TARGET + yearly("indicators_target"), "DROP TABLE indicators_target"),
    ]
