"""Addresses of sheets, assignments, targets and entry."""

from django.urls import path

from indicators.views import entry, manage_assignments, manage_sheets, manage_targets

urlpatterns = [
    path("units/<str:code>/entry/", entry.page, name="entry"),
    path("units/<str:code>/approve/", entry.approve, name="approve"),
    path("manage/sheets/", manage_sheets.sheets_list, name="manage-sheets"),
    path("manage/sheets/new", manage_sheets.new_indicator, name="manage-sheet-new"),
    path("manage/sheets/formula", manage_sheets.check_formula, name="manage-sheet-formula"),
    path("manage/sheets/<str:code>/", manage_sheets.sheet, name="manage-sheet"),
    path("manage/sheets/<str:code>/version", manage_sheets.new_version, name="manage-sheet-version"),
    path("manage/sheets/<str:code>/correct", manage_sheets.correct_version, name="manage-sheet-correct"),
    path("manage/sheets/<str:code>/end", manage_sheets.end_sheet, name="manage-sheet-end"),
    path("manage/assignments/", manage_assignments.assignments, name="manage-assignments"),
    path("manage/assignments/new", manage_assignments.assign, name="manage-assign"),
    path("manage/assignments/end", manage_assignments.end, name="manage-assignments-end"),
    path("manage/targets/", manage_targets.page, name="manage-targets"),
]
