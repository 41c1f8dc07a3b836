"""An address for each subject."""

from django.urls import path

from benchmarks import reading, writing

urlpatterns = [
    path("at-once/<int:pk>/", reading.AtOnce.as_view()),
    path("one-statement/<int:pk>/", reading.OneStatement.as_view()),
    path("django/one-statement/<int:pk>/", reading.one_statement),
    path("async/one-statement/<int:pk>/", reading.async_one_statement),
    path("detail/<int:pk>/", reading.Detail.as_view()),
    path("filtered/<int:pk>/", reading.FilteredDetail.as_view()),
    path("django/detail/<int:pk>/", reading.detail),
    path("async/detail/<int:pk>/", reading.async_detail),
    path("cursor/", reading.CursorList.as_view()),
    path("numbered/", reading.NumberedList.as_view()),
    path("hashed/<int:pk>/", reading.HashedDetail.as_view()),
    path("condition/<int:pk>/", reading.ConditionDetail.as_view()),
    path("extensions/<int:pk>/", reading.ExtensionsDetail.as_view()),
    path("drf-condition/<int:pk>/", reading.DrfConditionDetail.as_view()),
    path("versioned/detail/<int:pk>/", reading.VersionedDetail.as_view()),
    path("versioned/filtered/<int:pk>/", reading.VersionedFilteredDetail.as_view()),
    path("versioned/django/<int:pk>/", reading.versioned_detail),
    path("versioned/async/<int:pk>/", reading.versioned_async_detail),
    path("versioned/cursor/", reading.VersionedCursorList.as_view()),
    path("versioned/numbered/", reading.VersionedNumberedList.as_view()),
    path("versioned/cheap/", reading.CheapNumberedList.as_view()),
    path("write/plain/<int:pk>/", writing.Plain.as_view()),
    path("write/locked/<int:pk>/", writing.Locked.as_view()),
    path("write/extensions/<int:pk>/", writing.Extensions.as_view()),
    path("write/concurrent/<int:pk>/", writing.Concurrent.as_view()),
    path("write/versioned/<int:pk>/", writing.Versioned.as_view()),
]
