"""One change on a page: its form, then what it does, then done. Nothing typed is lost, nothing is saved early."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

KEPT_BACK = {"csrfmiddlewaretoken", "step", "reason"}
FORM, PREVIEW = "units/form.html", "units/preview.html"


def change(request, *, form, act, done, title, frame, back, button=None, wants_reason=False, template=FORM, extra=None):
    """Answer the request of a page that changes something.

    act(reason=, now=) carries it out and may raise ValidationError; done(result) gives (message, address to go to).
    wants_reason: the change destroys something, so it must be confirmed with a reason, which the history keeps.
    """
    context = {
        "form": form,
        "title": title,
        "back": back,
        "button": button or _("Preview the change"),
        "wants_reason": wants_reason,
        "intro": "",
        "fieldsets": [],
        **frame,
        **(extra or {}),
    }
    step = request.POST.get("step", "")
    if request.method != "POST" or step == "edit" or not form.is_valid():
        return render(request, template, context)
    reason = request.POST.get("reason", "").strip()[:300]
    try:
        if step == "confirm" and (reason or not wants_reason):
            message, href = done(act(reason=reason, now=timezone.now()))
            messages.success(request, message)
            return HttpResponseRedirect(href)
        seen = previewed(act, reason=reason, wants_reason=wants_reason)
    except ValidationError as error:
        add_errors(form, error)
        return render(request, template, context)
    return render(request, PREVIEW, {**context, **_asked(request, seen, reason, step)})


def previewed(act, *, reason, wants_reason=False):
    """What the action would do; a reason still to be given does not stand in its way."""
    stand_in = reason or ("…" if wants_reason else "")
    return import_string(settings.CHANGE_PREVIEW)(lambda now: act(reason=stand_in, now=now), now=timezone.now())


def _asked(request, seen, reason, step):
    kept = [(name, value) for name, values in request.POST.lists() if name not in KEPT_BACK for value in values]
    return {"preview": seen, "kept": kept, "reason": reason, "is_reason_missing": step == "confirm" and not reason}


def add_errors(form, error):
    """Errors of an action on the form's fields; those of fields that the form does not show stand above it, named."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    shown_as = getattr(form, "error_fields", {})  # a field of the action by the form's name for it
    for name, found in by_field.items():
        name = shown_as.get(name, name)
        if name in form.fields:
            form.add_error(name, found)
        elif name == NON_FIELD_ERRORS:
            form.add_error(None, found)
        else:
            form.add_error(None, [f"{name}: {message}" for message in found])
