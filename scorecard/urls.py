"""Every address of the site; each app brings its own."""

from django.contrib.auth import views as auth
from django.urls import include, path

from scorecard.views import (
    atlas,
    audit,
    board,
    home,
    hotspots,
    imports,
    incidents,
    indicator,
    judgement,
    plans,
    profile,
    recent,
    scorecard,
    search,
    style,
    why,
)

# Passwords are reset by a link that an administrator makes: no mail leaves the site.
accounts = [
    path("login/", auth.LoginView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password_change/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("password_change/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("reset/<uidb64>/<token>/", auth.PasswordResetConfirmView.as_view(), name="password_reset_confirm"),
    path("reset/done/", auth.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
]

handler400 = "units.views.unreadable.unreadable"
handler500 = "units.views.failed.failed"

urlpatterns = [
    path("api/v1/", include("scorecard.api.urls")),  # first, as feeds ask most often
    path("", home.page, name="home"),
    path("search", search.search, name="search"),
    path("manage/imports/", imports.page, name="imports"),
    path("manage/imports/template.xlsx", imports.template, name="import-template"),
    path("manage/imports/plan/<int:pk>.xlsx", imports.plan_file, name="plan-workbook"),
    path("manage/imports/<str:token>/", imports.one, name="import"),
    path("style", style.style, name="style"),
    path("accounts/", include(accounts)),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("units.urls")),
    path("", include("indicators.urls")),
    path("", include("incidents.urls")),
    path("units/<str:code>/", scorecard.scorecard, name="scorecard"),
    path("units/<str:code>/card.json", scorecard.card_json, name="card_json"),
    path("units/<str:code>/map.json", scorecard.map_json, name="map_json"),
    path("units/<str:code>/indicators/<str:indicator>/", indicator.indicator, name="indicator"),
    path("units/<str:code>/indicators/<str:indicator>/judgement", judgement.judgement, name="judgement"),
    path("map/<str:code>/", atlas.atlas, name="atlas"),
    path("map/<str:code>/months.json", atlas.months, name="atlas_months"),
    path("board/<str:code>/", board.board, name="board"),
    path("hotspots/<str:code>/", hotspots.hotspots, name="hotspots"),
    path("hotspots/<str:code>/points", hotspots.points, name="hotspots_points"),
    path("incidents/<str:code>/", incidents.incidents, name="incidents"),
    path("incidents/<str:code>/<int:pk>/", incidents.incident, name="incident"),
    path("profile/<str:code>/", profile.profile, name="profile"),
    path("recent/<str:code>/", recent.recent, name="recent"),
    path("why/<str:code>/<str:indicator>/", why.why, name="why"),
    path("plans/<int:pk>/", plans.plan_page, name="plan"),
    path("plans/<int:pk>/approve", plans.approve, name="plan-approve"),
    path("manage/plans/", plans.plans_list, name="manage-plans"),
    path("manage/plans/new", plans.new_plan, name="manage-plan-new"),
    path("manage/plans/<int:pk>/", plans.edit, name="manage-plan"),
    path("manage/plans/<int:pk>/weights", plans.weights, name="manage-plan-weights"),
    path("manage/plans/<int:pk>/reopen", plans.reopen, name="manage-plan-reopen"),
    path("manage/plans/<int:pk>/add/<str:kind>", plans.add_part, name="manage-plan-add"),
    path("manage/plans/<int:pk>/<str:kind>/<int:part>", plans.edit_part, name="manage-plan-part"),
    path("manage/plans/<int:pk>/<str:kind>/<int:part>/remove", plans.remove_part, name="manage-plan-remove"),
    path("manage/plans/<int:pk>/<str:kind>/<int:part>/move", plans.move_part, name="manage-plan-move"),
    path("audit/", audit.audit, name="audit"),
]
