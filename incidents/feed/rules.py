"""The names of what may be wrong with an item of a feed, and their words: one place for answers and tests."""

from django.utils.translation import gettext_lazy as _

REFUSED = {
    "item_unreadable": _("The item cannot be read."),
    "json_malformed": _("The line is not JSON."),
    "row_length": _("The row has more or fewer cells than the header."),
    "field_missing": _("The field is missing."),
    "field_unknown": _("No item has a field of this name."),
    "type_wrong": _("The value is not of the kind that the field takes."),
    "value_unknown": _("The field does not take this value."),
    "text_too_long": _("The text is too long."),
    "text_unreadable": _("The text is empty or has control characters."),
    "too_many": _("There are too many in one item."),
    "other_institution": _("The token speaks for another institution."),
    "unknown_category": _("There is no such category in the catalogue."),
    "unknown_variable": _("There is no such variable in the dictionary."),
    "unknown_code": _("The variable has no such value."),
    "number_range": _("The number cannot be."),
    "date_missing": _("The date is missing."),
    "date_twice": _("The date is said in two ways."),
    "date_impossible": _("There is no such date."),
    "date_early": _("The date lies before the first that is taken."),
    "date_future": _("The date lies in the future."),
    "time_unreadable": _("The time of day cannot be read."),
    "time_without_offset": _("The instant does not say its offset from UTC."),
    "time_order": _("It comes before what must come before it."),
    "point_unreadable": _("The coordinate is not in decimal degrees."),
    "point_half": _("One coordinate is there without the other."),
    "place_unknown": _("There is no place of this code."),
    "reason_missing": _("It needs a reason."),
    "unknown_event": _("The source never sent an event of this identifier."),
    "retracted": _("The source took this event back: only a higher version brings it to life again."),
    "version_repeated": _("The same version was sent before with other content."),
    "repeated_too_often": _("The identifier stands too often in one body."),
}

FLAGGED = {
    "older": _("an older account than the one held: nothing changed"),
    "retired": _("a variable or a value of the dictionary that is retired: taken as it was said"),
    "point_zero": _("coordinates (0, 0), taken as missing"),
    "point_outside": _("coordinates outside the country, taken as missing"),
    "point_nowhere": _("the point lies in no boundary"),
    "place_mismatch": _("the point does not lie in the place of the code: the point was believed"),
    "place_missing": _("without a place: taken to the nation"),
    "place_to_circuit": _("subcircuit unknown: taken to its circuit"),
    "place_to_district": _("circuit unknown: taken to its district"),
    "not_delimited": _("of the not-delimited zone"),
    "not_delimited_code": _("not-delimited code unknown: taken to the not-delimited zone"),
}

BODY = {
    "body_empty": _("The body has no item."),
    "body_malformed": _("The body is not JSON: it breaks at byte %(at)s."),
    "body_cut": _("The body breaks off in item %(at)s: the items before it were taken."),
    "job_failed": _("The worker failed again and again: the items before item %(at)s were taken, the others were not."),
    "body_encoding": _("The body is not UTF-8."),
    "header_unreadable": _("The header of the table cannot be read: %(at)s."),
    "body_too_large": _("The body is larger than %(at)s bytes: send it in parts."),
    "other_institution": _("The token does not speak for the institution %(at)s."),
    "layout_unknown": _("There is no such layout: %(at)s are taken."),
    "kind_unknown": _("This kind of body is not taken: JSON, NDJSON and CSV are."),
}
