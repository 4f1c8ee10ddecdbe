"""Addresses of units, territories, people and grants."""

from django.urls import path

from units.views import accounts, home, people, places, tree

urlpatterns = [
    path("manage/", home.home, name="manage"),
    path("manage/units/", tree.units, name="manage-units"),
    path("manage/units/new", tree.open_unit, name="manage-unit-open"),
    path("manage/units/<str:code>/", tree.unit, name="manage-unit"),
    path("manage/units/<str:code>/rename", tree.rename_unit, name="manage-unit-rename"),
    path("manage/units/<str:code>/move", tree.move_unit, name="manage-unit-move"),
    path("manage/units/<str:code>/close", tree.close_unit, name="manage-unit-close"),
    path("manage/units/<str:code>/reopen", tree.reopen_unit, name="manage-unit-reopen"),
    path("manage/institutions/new", tree.new_institution, name="manage-institution-open"),
    path("manage/institutions/<str:code>/", tree.rename_institution, name="manage-institution"),
    path("manage/territories/", places.territories, name="manage-territories"),
    path("manage/territories/<str:code>/", places.territory, name="manage-territory"),
    path("manage/accounts/", accounts.accounts, name="manage-accounts"),
    path("manage/accounts/new", accounts.new_account, name="manage-account-new"),
    path("manage/accounts/<str:username>/", accounts.account, name="manage-account"),
    path("manage/accounts/<str:username>/token", accounts.issue, name="manage-account-token"),
    path("manage/accounts/<str:username>/tokens/<int:pk>/revoke", accounts.revoke, name="manage-account-revoke"),
    path("manage/people/", people.people, name="manage-people"),
    path("manage/people/new", people.new_person, name="manage-person-new"),
    path("manage/people/<str:username>/", people.person, name="manage-person"),
    path("manage/people/<str:username>/edit", people.edit_person, name="manage-person-edit"),
    path("manage/people/<str:username>/active", people.set_active, name="manage-person-active"),
    path("manage/people/<str:username>/password", people.password_link, name="manage-person-password"),
    path("manage/people/<str:username>/grant", people.grant, name="manage-person-grant"),
    path("manage/people/<str:username>/revoke/<str:role>/<str:code>", people.revoke, name="manage-person-revoke"),
]
