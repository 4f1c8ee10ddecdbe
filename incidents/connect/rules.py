"""The names of what may be wrong with a source that is pulled, and their words."""

from django.utils.translation import gettext_lazy as _

RULES = {
    "address_refused": _("The address is not one that may be read: http or https, and a host that is allowed."),
    "unreachable": _("The source cannot be reached."),
    "timed_out": _("The source did not answer in time."),
    "broken_off": _("The answer broke off."),
    "other_host": _("The source points to another host, which is not followed."),
    "too_many_redirects": _("The source goes on redirecting."),
    "secret_refused": _("The source refuses the secret."),
    "not_found": _("The source has nothing at this address."),
    "too_many_requests": _("The source asks to be read less often."),
    "source_failed": _("The source has failed."),
    "status_unexpected": _("The source answers with a status that is not understood."),
    "page_too_large": _("The page is larger than is taken."),
    "page_encoding": _("The page is not UTF-8."),
    "page_malformed": _("The page is not JSON."),
    "page_shape": _("The page has no list of items where one is expected."),
    "cursor_unreadable": _("The page does not say where the next one is in the way agreed."),
    "cursor_stuck": _("The source names the same next page again and again."),
    "layout_unknown": _("There is no such layout."),
    "changed_meanwhile": _("The connector was changed while it was read; it is read again."),
}


class SourceError(Exception):
    """A source could not be read: a rule of RULES, what was seen, and how long the source asks to be left alone."""

    def __init__(self, rule, seen="", *, retry_after=None):
        super().__init__(rule, seen)
        self.rule, self.seen, self.retry_after = rule, seen[:300], retry_after

    def __str__(self):
        return f"{RULES[self.rule]} ({self.seen})" if self.seen else str(RULES[self.rule])
