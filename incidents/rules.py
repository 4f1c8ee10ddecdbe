"""The names of what may be wrong with a file or a row, and their words. One place, so that reports and tests agree."""

from django.utils.translation import gettext_lazy as _

FILE = {
    "layout": _("The file is not of the layout %(layout)s: there is no column %(missing)s. Its columns: %(seen)s"),
    "no_rows": _("There is no row to take: the file has none, or all were refused."),
    "removes_month": _(
        "The file would take away %(removed)s of the %(stored)s incidents of %(month)s. If it truly covers that month, "
        "say so (--accept-removals); if not, name the months that it covers (--covers)."
    ),
    "unknown_category": _("There is no category %(code)s in the catalogue."),
    "no_territories": _("There are no territories yet: import them first."),
    "too_many_codes": _("The variable %(variable)s has more values than can be coded."),
    "future_months": _("The months that the file is said to cover are not over or running yet."),
}

REFUSED = {
    "row_short": _("The row has fewer columns than the header."),
    "row_long": _("The row has more columns than the header."),
    "category_missing": _("The category is missing."),
    "category_unknown": _("The category is not one of the layout's."),
    "date_missing": _("The date is missing."),
    "date_unreadable": _("The date cannot be read."),
    "date_future": _("The date lies in the future."),
    "date_early": _("The date lies before the first that such a file can have."),
    "place_unreadable": _("The code of the place is not of the grammar of codes."),
    "district_unknown": _("There is no district of this code."),
    "id_missing": _("The identifier is missing."),
    "id_repeated": _("The identifier stands in an earlier row."),
    "outside_period": _("The date lies outside the months that the file is said to cover."),
    "too_long": _("The text is too long for a value of a catalogue."),
    "time_order": _("It comes before what must come before it."),
}

MENDED = {
    "spaces": _("spaces around or inside values taken away"),
    "date_serial": _("dates written as a spreadsheet's serial number"),
    "time_fraction": _("times written as a fraction of a day"),
    "time_missing": _("without a time of day"),
    "time_unreadable": _("time of day unreadable, taken as not stated"),
    "decimal_comma": _("coordinates with a decimal comma"),
    "point_zero": _("coordinates (0, 0), taken as missing"),
    "point_missing": _("without coordinates"),
    "point_unreadable": _("coordinates unreadable, taken as missing"),
    "point_outside": _("coordinates outside the country, taken as missing"),
    "place_padded": _("code of the place written without its zeros"),
    "place_missing": _("without a code of the place, and no boundary to find it by: the nation"),
    "place_by_point": _("without a code of the place: found by coordinates"),
    "place_to_circuit": _("subcircuit unknown: taken to its circuit"),
    "place_to_district": _("circuit unknown: taken to its district"),
    "not_delimited": _("of the not-delimited zone"),
    "not_delimited_code": _("not-delimited code unknown: taken to the not-delimited zone"),
    "category_other": _("categories that the layout does not list, taken to its last"),
    "detail_unknown": _("subtypes that the layout does not list: the category alone"),
    "choice_unknown": _("channels, classes, services or video that the layout does not list, taken as not stated"),
    "stage_unreadable": _("instants of the handling unreadable or impossible, taken as not stated"),
    "code_by_label": _("code unreadable, found by its name"),
    "code_unreadable": _("code unreadable, taken as not stated"),
    "number_unreadable": _("number unreadable, taken as not stated"),
    "number_range": _("number out of range, taken as not stated"),
}

REVISED = {
    "reclassified": _("reclassified"),
    "moved": _("moved to another place"),
    "point": _("coordinates corrected"),
    "located": _("taken to another territory by our catalogue"),
    "redated": _("redated"),
    "retimed": _("time of day corrected"),
    "corrected": _("another characteristic corrected"),
    "added": _("added"),
    "removed": _("removed"),
}
