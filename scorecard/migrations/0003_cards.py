"""Cards: a row a unit and month, arrays by position. Derived, so no foreign keys; rebuilt by `manage.py refresh`.

Arrays stay in the row, uncompressed: a page reads 13 rows whole, and compressing doubles for nothing costs more than
reading them. `toast_tuple_target` lets a card of some 150 lines stay in its page.
"""

from django.db import migrations

from units.partitions import FIRST_YEAR, LAST_YEAR, yearly

FIGURES = ["objective_score", "value", "target", "attainment", "to_date_value", "to_date_target", "to_date_attainment"]
ARRAYS = [
    *[f"{name} double precision[] NOT NULL" for name in FIGURES],
    *[f"{name} smallint[] NOT NULL" for name in ("marks", "to_date_marks", "to_date_months")],
    *[f"{name} integer[] NOT NULL" for name in ("reported", "due", "worst_child")],
    *[f"{name} double precision[] NOT NULL" for name in ("high", "to_date_high", "approved_attainment")],
    "approved_marks smallint[] NOT NULL",
]

CARD = f"""
CREATE TABLE scorecard_card (
    month date NOT NULL,
    unit_id integer NOT NULL,
    institution_id integer NOT NULL,
    parent_id integer,
    recipe_id integer NOT NULL,
    light smallint NOT NULL,
    has_red boolean NOT NULL,
    is_provisional boolean NOT NULL,
    score double precision NOT NULL,
    score_low double precision NOT NULL,
    score_high double precision NOT NULL,
    coverage double precision NOT NULL,
    approved_score double precision NOT NULL,
    approved_coverage double precision NOT NULL,
    worst_position smallint NOT NULL,
    worst_unit_id integer,
    {", ".join(ARRAYS)},
    digest bigint NOT NULL,
    CONSTRAINT card_key PRIMARY KEY (month, unit_id)
) PARTITION BY RANGE (month);
CREATE INDEX card_children ON scorecard_card (parent_id, month);
"""

TABLES = [f"scorecard_card_{year}" for year in [*range(FIRST_YEAR, LAST_YEAR + 1), "default"]]
COLUMNS = [array.split()[0] for array in ARRAYS]
IN_ROW = "\n".join(
    f"ALTER TABLE {table} SET (toast_tuple_target = 4080), "
    + ", ".join(f"ALTER COLUMN {column} SET STORAGE MAIN" for column in COLUMNS)
    + ";"
    for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("scorecard", "0002_initial")]

    operations = [
        migrations.RunSQL(CARD + yearly("scorecard_card") + IN_ROW, "DROP TABLE scorecard_card"),
    ]
