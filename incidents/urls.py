"""Addresses of event rules, the dictionary and feeds."""

from django.urls import path

from incidents import catalogue_views as catalogue
from incidents import views
from incidents.connect import letter_views
from incidents.connect import views as feeds

urlpatterns = [
    path("manage/event-rules/", views.rules, name="manage-event-rules"),
    path("manage/event-rules/new", views.new_rule, name="manage-event-rule-new"),
    path("manage/event-rules/<int:pk>/end", views.end_rule, name="manage-event-rule-end"),
    path("manage/variables/", catalogue.variables, name="manage-variables"),
    path("manage/variables/new", catalogue.new_variable, name="manage-variable-new"),
    path("manage/variables/<int:pk>/", catalogue.variable, name="manage-variable"),
    path("manage/variables/<int:pk>/edit", catalogue.edit_variable, name="manage-variable-edit"),
    path("manage/variables/<int:pk>/retire", catalogue.retire_variable, name="manage-variable-retire"),
    path("manage/variables/<int:pk>/codes/new", catalogue.new_code, name="manage-variable-code-new"),
    path("manage/variables/<int:pk>/codes/<int:code>", catalogue.edit_code, name="manage-variable-code"),
    path(
        "manage/variables/<int:pk>/codes/<int:code>/retire", catalogue.retire_code, name="manage-variable-code-retire"
    ),
    path("manage/categories/", catalogue.categories, name="manage-categories"),
    path("manage/categories/new", catalogue.new_category, name="manage-category-new"),
    path("manage/categories/<int:pk>/edit", catalogue.edit_category, name="manage-category"),
    path("manage/feeds/", feeds.feeds, name="manage-feeds"),
    path("manage/feeds/new", feeds.new_feed, name="manage-feed-new"),
    path("manage/feeds/<slug:name>/", feeds.feed, name="manage-feed"),
    path("manage/feeds/<slug:name>/edit", feeds.edit_feed, name="manage-feed-edit"),
    path("manage/feeds/<slug:name>/secret", feeds.secret, name="manage-feed-secret"),
    path("manage/feeds/<slug:name>/active", feeds.active, name="manage-feed-active"),
    path("manage/feeds/<slug:name>/restart", feeds.restart, name="manage-feed-restart"),
    path("manage/feeds/<slug:name>/run", feeds.run, name="manage-feed-run"),
    path("manage/dead-letters/", letter_views.dead_letters, name="manage-dead-letters"),
    path("manage/dead-letters/<int:pk>/", letter_views.dead_letter, name="manage-dead-letter"),
]
