"""What answers about incidents are made of, for the schema; incidents.queries makes them."""

from rest_framework import serializers

from incidents.models import STAGES, AlertClass, Channel, Fate, PlacePrecision, Service, TimePrecision, Video

SAYS = "What the dictionary's variables say, by key: the name of a value, or a number; what is not stated is left out."

DRAWN = "Where a map shows it: its own point, or the middle of its district, circuit or subcircuit; null beyond that."


def choice(kinds, **options):
    return serializers.ChoiceField(choices=[kind.name.lower() for kind in kinds], **options)


def said(**options):
    return serializers.DictField(child=serializers.JSONField(), help_text=SAYS, **options)


class Facts(serializers.Serializer):
    """An event as its source tells it, in names instead of codes."""

    occurred_on = serializers.DateField()
    occurred_at = serializers.RegexField(
        r"^\d\d:\d\d:\d\d(\.\d{1,6})?$", allow_null=True, help_text="Local time of day."
    )
    time_precision = choice(TimePrecision)
    source = serializers.CharField(help_text="Code of the institution.")
    category = serializers.CharField()
    category_name = serializers.CharField()
    territory = serializers.CharField(allow_null=True)
    territory_name = serializers.CharField(allow_null=True)
    place_precision = choice(PlacePrecision)
    longitude = serializers.FloatField(allow_null=True)
    latitude = serializers.FloatField(allow_null=True)
    drawn_longitude = serializers.FloatField(allow_null=True, help_text=DRAWN)
    drawn_latitude = serializers.FloatField(allow_null=True, help_text=DRAWN)
    is_drawn_approximately = serializers.BooleanField(
        allow_null=True, help_text="True where that is the middle of the place; `place_precision` says of which kind."
    )
    channel = choice(Channel, allow_null=True)
    alert_class = choice(AlertClass, allow_null=True)
    service = choice(Service, allow_null=True)
    video = choice(Video, allow_null=True)
    variables = said()
    victims = serializers.ListField(child=said())
    victimizers = serializers.ListField(child=said())

    def get_fields(self):
        return super().get_fields() | {stage: serializers.DateTimeField(allow_null=True) for stage in STAGES}


class IncidentShape(Facts):
    """An event. Reserved variables are told of institutions in whose own tree the account analyses, of no other."""

    id = serializers.IntegerField()
    external_id = serializers.CharField(allow_null=True, help_text="The source's own identifier.")


class Revision(Facts):
    """What was said of an event before, until when, and in what what replaced it differs."""

    fate = serializers.ChoiceField(choices=Fate.values)
    changes = serializers.ListField(child=serializers.CharField(), help_text="Fields in which the later one differs.")
    reason = serializers.CharField()
    replaced_at = serializers.DateTimeField()
    replaced_by = serializers.ChoiceField(choices=["feed", "publication"])


class IncidentLife(IncidentShape):
    """An event and its earlier accounts, the latest first."""

    is_retracted = serializers.BooleanField(help_text="The source took it back: what is told is what it said last.")
    revisions = Revision(many=True)
