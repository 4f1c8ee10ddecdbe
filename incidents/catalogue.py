"""The dictionary as administrators change it: variables, their codes, categories. Nothing is ever used again.

What is retired is offered no more, in rules and filters; what was said with it stays and can be read.
"""

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext as _

from incidents import sqlview
from incidents.dictionary import LAST_CODE
from incidents.layout import plain
from incidents.models import Category, Kind, Variable, VariableCode
from indicators.models import Sensitivity
from units.actions import recorded

LAST_POSITION = 400  # of an array: every event with a later one carries those before it


def add_variable(*, by, factor, key, kind, name, name_en="", sensitivity=Sensitivity.INTERNAL, reason=""):
    """A variable takes the next place in the arrays of its factor and kind. ValidationError where it cannot."""
    if kind == Kind.COLUMN:
        raise ValidationError({"kind": _("Columns come with the product. Choose category or number.")})
    if key in sqlview.own_columns(factor):
        raise ValidationError({"key": _("Events have a column of this name already.")})
    with recorded(by=by, reason=reason):
        # The dictionary's rows are locked: two people who add at once get two places.
        held = list(Variable.objects.select_for_update().filter(factor=factor, kind=kind).values_list("position"))
        position = max((place for (place,) in held), default=-1) + 1
        if position > LAST_POSITION:
            raise ValidationError(_("This factor holds as many variables as it can."))
        variable = Variable(
            factor=factor, key=key, kind=kind, position=position, name=name, name_en=name_en, sensitivity=sensitivity
        )
        variable.full_clean()
        variable.save(force_insert=True)
        sqlview.create()
    return variable


def change_variable(*, by, variable, name, name_en, sensitivity, reason=""):
    """Its names and how sensitive it is: reserved is told only in the tree of the institution that it comes from."""
    with recorded(by=by, reason=reason):
        if sensitivity == Sensitivity.RESERVED != variable.sensitivity and (rule := _rule_with(variable)):
            said = {"indicator": rule.indicator.code}
            raise ValidationError(
                {"sensitivity": _("%(indicator)s is counted by it: end that event rule first.") % said}
            )
        variable.name, variable.name_en, variable.sensitivity = name, name_en, sensitivity
        variable.full_clean()
        variable.save(update_fields=["name", "name_en", "sensitivity"])
        sqlview.create()
    return variable


def _rule_with(variable):
    """A rule without an end that names the variable, or None."""
    from incidents.models import EventRule

    field = f"{variable.factor}.{variable.key}"
    for rule in EventRule.objects.filter(to_month=None).select_related("indicator"):
        if any(condition["field"] == field for condition in [*rule.filter, *rule.part]):
            return rule
    return None


def retire(*, by, what, is_retired, reason=""):
    """A variable or a code is offered no more, or again."""
    with recorded(by=by, reason=reason):
        what.is_retired = is_retired
        what.save(update_fields=["is_retired"])
    return what


def add_code(*, by, variable, name, name_en="", label="", code=None, reason=""):
    """A value of a variable that is a category: its number is the next one where none is given."""
    if variable.kind != Kind.CATEGORY:
        raise ValidationError(_("Numbers have no codes."))
    with recorded(by=by, reason=reason):
        Variable.objects.select_for_update().get(pk=variable.pk)
        if code is None:
            code = (variable.codes.aggregate(last=Max("code"))["last"] or 0) + 1
        if not 1 <= code <= LAST_CODE:
            raise ValidationError({"code": _("A code is a whole number from 1 to %(last)d.") % {"last": LAST_CODE}})
        if variable.codes.filter(code=code).exists():
            raise ValidationError({"code": _("This code is in use. Codes are never used again.")})
        made = VariableCode(variable=variable, code=code, label=plain(label or name), name=name, name_en=name_en)
        if variable.codes.filter(label=made.label).exists():
            raise ValidationError({"label": _("Files write another code like this already.")})
        made.full_clean()
        made.save(force_insert=True)
    return made


def rename_code(*, by, code, name, name_en, reason=""):
    """What a code is called; how files write it stays."""
    with recorded(by=by, reason=reason):
        code.name, code.name_en = name, name_en
        code.full_clean()
        code.save(update_fields=["name", "name_en"])
    return code


def add_category(*, by, code, name, name_en="", parent=None, iccs="", reason=""):
    """A kind of event, below another or at the top. Rules of those above count its events too."""
    with recorded(by=by, reason=reason):
        made = Category(code=code, name=name, name_en=name_en, parent=parent, iccs=iccs)
        made.full_clean()
        made.save(force_insert=True)
    return made


def change_category(*, by, category, name, name_en, iccs, reason=""):
    """What a kind of event is called and its class in the ICCS. Its code and its place in the tree stay."""
    with recorded(by=by, reason=reason):
        category.name, category.name_en, category.iccs = name, name_en, iccs
        category.full_clean()
        category.save(update_fields=["name", "name_en", "iccs"])
    return category
