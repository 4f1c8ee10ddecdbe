"""Who asks: the service account of a bearer token, or, for reading alone, the person who has signed in.

Writing needs a token, so that no page of another site can make a browser write (a token is never sent by itself).
"""

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication

from units import tokens
from units.api.errors import Forbidden, NotSignedIn

SAFE = {"GET", "HEAD", "OPTIONS"}


def bearer_of(request):
    """The token in the header, or None."""
    scheme, _space, plain = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return plain.strip() if scheme.lower() == "bearer" else None


def authenticate(request):
    """(account, token): the token is None for a person. Raises NotSignedIn."""
    plain = bearer_of(request)
    if plain is None:
        if request.method in SAFE and request.user.is_authenticated:
            return request.user, None
        raise NotSignedIn("no_token", _("Send the header Authorization: Bearer and a token."))
    now = timezone.now()
    try:
        account = tokens.account_of(plain, now)
    except tokens.TokenError as error:
        raise NotSignedIn(error.rule, error.message) from error
    tokens.touch(account.token, now)
    return account, account.token


def must_write(token):
    """The account is Integrator in a unit of its own institution, or Forbidden is raised."""
    if not token.may_write:
        raise Forbidden("no_integrator", _("The account is not an integrator in any unit of its institution."))


class TokenAuthentication(BaseAuthentication):
    """`authenticate` for DRF views."""

    def authenticate(self, request):
        return authenticate(request._request)

    def authenticate_header(self, request):
        return 'Bearer realm="api"'
