"""Whose institution it is: what belongs to an institution as a whole is asked of its root unit."""

from django.core.exceptions import PermissionDenied
from django.db.models import F, Q
from django.http import Http404
from django.utils.translation import gettext as _

from units.models import Institution, Unit
from units.permissions import Permission, can

ROOT = Q(parent=None) | ~Q(parent__institution=F("institution"))


def root_of(institution):
    """The unit at the head of an institution's tree, or None where it has none yet."""
    return institution.units.filter(ROOT).select_related("institution", "territory").order_by("pk").first()


def institutions_in(user, permission):
    """Institutions in whose root unit the person holds this permission. One query."""
    roots = Unit.objects.visible_to(user, permission).filter(ROOT)
    return Institution.objects.filter(pk__in=roots.values("institution_id"))


def institutions_seen(user):
    """Institutions of which the person sees any unit. One query."""
    seen = Unit.objects.visible_to(user)
    return Institution.objects.filter(pk__in=seen.values("institution_id"))


def institution_or_404(user, permission, code):
    """The institution of this code: not there for those who see no unit of it, else the permission decides."""
    institution = Institution.objects.filter(code=code).first()
    if institution is None or not Unit.objects.visible_to(user).filter(institution=institution).exists():
        raise Http404(_("There is no institution %(code)s that you may see.") % {"code": code})
    if permission != Permission.VIEW:
        root = root_of(institution)
        if root is None or not can(user, permission, root):
            raise PermissionDenied(_("Your role does not allow this in %(unit)s.") % {"unit": institution})
    return institution
