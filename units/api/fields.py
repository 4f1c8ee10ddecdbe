"""Fields that the answers of several apps share."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


def code_of(source, **options):
    """The code of what a row points at: null where that is nothing (`allow_null=True`)."""
    if options.get("allow_null"):
        options["default"] = None
    return serializers.CharField(source=f"{source}.code", read_only=True, **options)


@extend_schema_field({"type": "string", "pattern": r"^\d{4}-\d{2}$", "example": "2023-10"})
class MonthField(serializers.Field):
    """A month as 2023-10."""

    def __init__(self, **options):
        super().__init__(read_only=True, **options)

    def to_representation(self, value):
        return f"{value:%Y-%m}"


class WordField(serializers.ChoiceField):
    """A choice that is a number in the database, by the small-letter name that it has in the code; null for 0."""

    def __init__(self, choices, **options):
        self.words = {member.value: member.name.lower() for member in choices}
        super().__init__(choices=sorted(self.words.values()), read_only=True, **options)

    def to_representation(self, value):
        return self.words.get(value)


class NumberField(serializers.FloatField):
    """A number, null where there is none."""

    def __init__(self, **options):
        super().__init__(read_only=True, allow_null=True, **options)
