"""What a month's event rules count is found by its category, without reading the month's other events."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0003_event_rule_measures")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX incident_category ON incidents_incident (category_id, occurred_on) INCLUDE (territory_id, "
            "source_id)",
            "DROP INDEX incident_category",
        ),
    ]
