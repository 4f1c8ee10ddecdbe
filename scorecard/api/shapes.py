"""What a scorecard looks like on the wire. The answers are made of arrays (scorecard.as_data); these describe them."""

from rest_framework import serializers

from scorecard.as_data import number
from scorecard.components import BANDS
from scorecard.reading import card_band_of
from units.api.fields import MonthField, NumberField, code_of


def light():
    return serializers.ChoiceField(choices=list(BANDS), read_only=True)


class Summary(serializers.Serializer):
    """A unit's scorecard of a month in one row."""

    unit = code_of("unit")
    month = MonthField()
    light = serializers.SerializerMethodField()
    has_red = serializers.BooleanField(read_only=True)
    is_provisional = serializers.BooleanField(read_only=True)
    score = serializers.SerializerMethodField()
    coverage = serializers.SerializerMethodField()
    approved_score = serializers.SerializerMethodField()

    def get_light(self, card) -> str:
        return card_band_of(card).name

    def get_score(self, card) -> float | None:
        return number(card.score)

    def get_coverage(self, card) -> float | None:
        return number(card.coverage)

    def get_approved_score(self, card) -> float | None:
        return number(card.approved_score)


class Named(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class MadeBy(serializers.Serializer):
    """The recipe: the plan's version and the rules by which the card was made."""

    recipe = serializers.IntegerField()
    plan = serializers.IntegerField(allow_null=True)
    rules = serializers.CharField()


class CardSpan(serializers.Serializer):
    """What is said of a month, or of the year to date."""

    value = NumberField()
    target = NumberField()
    high = NumberField(help_text="Upper end of the target where it is a range; `target` is the lower.")
    attainment = NumberField(help_text="Per cent; below 0 and above 100 as they come.")
    light = light()
    provisional = serializers.BooleanField()
    chance = serializers.BooleanField(help_text="Not to be told from chance.")


class CardLine(serializers.Serializer):
    """A line of the plan on the card."""

    code = serializers.CharField()
    number = serializers.CharField()
    name = serializers.CharField()
    unit_of_measure = serializers.CharField()
    weight = serializers.FloatField()
    light_by = serializers.ChoiceField(choices=["month", "to_date"])
    month = CardSpan()
    to_date = CardSpan()
    months = serializers.ListField(child=serializers.IntegerField(), help_text="Months with a figure; months due.")
    reported = serializers.IntegerField(help_text="Units below that reported.")
    due = serializers.IntegerField(help_text="Units below of which it is due.")
    history = serializers.ListField(child=NumberField(), help_text="13 months, the card's own last.")


class ObjectiveScore(serializers.Serializer):
    number = serializers.CharField()
    name = serializers.CharField()
    weight = serializers.FloatField()
    score = NumberField()
    light = light()
    lines = serializers.ListField(child=serializers.CharField())


class Approved(serializers.Serializer):
    """Counting approved figures alone."""

    score = NumberField()
    coverage = NumberField()


class CardShape(serializers.Serializer):
    """A unit's scorecard of a month."""

    unit = Named()
    month = MonthField()
    made_by = MadeBy()
    light = light()
    red_below = serializers.BooleanField()
    provisional = serializers.BooleanField()
    score = NumberField()
    score_if_missing = serializers.ListField(
        child=NumberField(), help_text="The score if what is missing were 0, and 100."
    )
    coverage = NumberField()
    approved = Approved()
    objectives = ObjectiveScore(many=True)
    lines = CardLine(many=True)


class ChildCard(serializers.Serializer):
    """A unit below, in the light of its score, or of the indicator in `by`."""

    unit = Named()
    light = light()
    provisional = serializers.BooleanField()
    score = NumberField()
    coverage = NumberField()
    value = NumberField(help_text="Of the indicator in `by`.")
    target = NumberField()
    attainment = NumberField()


class Children(serializers.Serializer):
    unit = serializers.CharField()
    month = MonthField()
    by = serializers.CharField(help_text="`overall`, or the code of the indicator.")
    children = ChildCard(many=True)
