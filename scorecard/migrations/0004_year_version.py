"""The number of the last refresh of an institution's year, by which a worker knows that what it kept still holds."""

from django.db import migrations

SQL = """
CREATE TABLE scorecard_yearversion (
    institution_id integer NOT NULL,
    year smallint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT year_version_key PRIMARY KEY (institution_id, year)
);
CREATE SEQUENCE scorecard_yearversion_version_seq AS bigint OWNED BY scorecard_yearversion.version;
"""


class Migration(migrations.Migration):
    dependencies = [("scorecard", "0003_cards")]

    operations = [migrations.RunSQL(SQL, "DROP TABLE scorecard_yearversion")]
