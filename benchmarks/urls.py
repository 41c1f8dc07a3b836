"""An address for each subject, all of them as far from the resolver's beginning."""

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from benchmarks import reading, writing

VIEWS = {
    "at-once": reading.AtOnce.as_view(),
    "one-statement": reading.OneStatement.as_view(),
    "detail": reading.Detail.as_view(),
    "filtered": reading.FilteredDetail.as_view(),
    "permitted": reading.PermittedDetail.as_view(),
    "cursor": reading.CursorList.as_view(),
    "numbered": reading.NumberedList.as_view(),
    "hashed": reading.HashedDetail.as_view(),
    "condition": reading.ConditionDetail.as_view(),
    "extensions": reading.ExtensionsDetail.as_view(),
    "drf-condition": reading.DrfConditionDetail.as_view(),
    "versioned-detail": reading.VersionedDetail.as_view(),
    "versioned-filtered": reading.VersionedFilteredDetail.as_view(),
    "versioned-permitted": reading.VersionedPermittedDetail.as_view(),
    "versioned-cursor": reading.VersionedCursorList.as_view(),
    "versioned-numbered": reading.VersionedNumberedList.as_view(),
    "versioned-cheap": reading.CheapNumberedList.as_view(),
    "django-one-statement": reading.one_statement,
    "django-detail": reading.detail,
    "django-versioned": reading.versioned_detail,
    "write-plain": writing.Plain.as_view(),
    "write-locked": writing.Locked.as_view(),
    "write-extensions": writing.Extensions.as_view(),
    "write-concurrent": writing.Concurrent.as_view(),
    "write-versioned": writing.Versioned.as_view(),
}
ASYNC_VIEWS = {
    "one-statement": reading.async_one_statement,
    "detail": reading.async_detail,
    "versioned": reading.versioned_async_detail,
}


@csrf_exempt
def view(request, name, **kwargs):
    return VIEWS[name](request, **kwargs)


async def async_view(request, name, **kwargs):
    return await ASYNC_VIEWS[name](request, **kwargs)


urlpatterns = [
    path("async/<slug:name>/<int:pk>/", async_view),
    path("<slug:name>/<int:pk>/", view),
    path("<slug:name>/", view),
]
