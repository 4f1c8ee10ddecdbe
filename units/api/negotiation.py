"""In which form an address answers: what Accept says, or `format`."""

from django.utils.translation import gettext as _
from rest_framework.negotiation import DefaultContentNegotiation

from units.api.errors import of_parameter


class Negotiation(DefaultContentNegotiation):
    """A `format` that the address does not have is a wrong parameter, not an address that is not there."""

    def filter_renderers(self, renderers, format):
        if found := [one for one in renderers if one.format == format]:
            return found
        known = sorted({one.format for one in renderers})
        raise of_parameter("format", _("format: one of %(names)s.") % {"names": ", ".join(known)})
