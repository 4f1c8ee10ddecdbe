"""The names of what may be wrong with figures that are sent, and their words: one place for answers, docs and tests."""

from django.utils.translation import gettext_lazy as _

from indicators import checks, imports

READING = {
    "row_unreadable": _("The row cannot be read."),
    "json_malformed": _("The line is not JSON."),
    "row_length": _("The row has more or fewer cells than the header."),
    "field_missing": _("The field is missing."),
    "field_unknown": _("No row has a field of this name."),
    "type_wrong": _("The value is not of the kind that the field takes."),
    "value_unknown": _("The field does not take this value."),
    "time_unreadable": _("The instant cannot be read."),
    "time_without_offset": _("The instant does not say its offset from UTC."),
    "nothing_said": _("The row has neither a figure nor a state."),
}
SHARED = {name: imports.RULES[name] for name in ("not_a_number", "figure_and_state", "figure_missing", "not_allowed")}
MONTH = {"not_a_month": _("This is not a month: write it like 2023-05.")}
OF_TARGETS = {"range_crossed", "target_not_finite"}
CHECKED = {name: words for name, (_field, words) in checks.RULES.items() if name not in OF_TARGETS}
REFUSED = READING | MONTH | SHARED | CHECKED
CONFLICT = {"changed_since": _("The figure is not the one that the sender saw: it was changed in between.")}

BODY = {
    "body_empty": _("The body has no row."),
    "body_malformed": _("The body is not JSON: it breaks at byte %(at)s."),
    "body_cut": _("The body breaks off in row %(at)s: the rows before it were taken."),
    "body_encoding": _("The body is not UTF-8."),
    "body_deep": _("The body holds values within values, too many deep."),
    "body_shape": _("The body is a row, a list of rows, or an object with “items” or “columns”."),
    "columns_differ": _("The columns are not of one length."),
    "header_unreadable": _("The header of the table cannot be read: %(at)s."),
    "kind_unknown": _("This kind of body is not taken: JSON, NDJSON and CSV are."),
    "too_many_rows": _("A body takes %(at)s rows at most: send it in parts."),
}
