"""Views and viewsets as a project writes them."""

from typing import assert_type

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.viewsets import ModelViewSet

from etag_versioning.decorators import etag_func, revision_etag_func, versioned_condition
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedQuerySet
from etag_versioning.rest_framework.mixins import VersionedViewSetMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

from .models import User


@versioned_condition(User, lookup_url_kwarg="user_id", if_match="optional")
def user_detail(request: HttpRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    assert_type(user, User)
    return JsonResponse({"name": user.name})


@versioned_condition(revision_etag_func(), methods=["GET"])
async def about(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


# A decorated view keeps its parameters and its result.
assert_type(user_detail(HttpRequest(), user_id=7), HttpResponse)
user_etag = etag_func(User, lookup_url_kwarg="user_id")


def rename(key: int, name: str) -> bool:
    try:
        User.objects.filter(pk=key).expect(version=3).update(name=name)
    except StaleWriteError as error:
        return error.pk is None
    return True


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        model = User
        fields = ("name",)


class UserViewSet(VersionedViewSetMixin, ModelViewSet[User]):
    queryset = User.objects.select_related("team")
    serializer_class = UserSerializer
    if_match = "report"

    def get_queryset(self) -> VersionedQuerySet[User]:
        return User.objects.filter(team=7)

    def user_name(self) -> str:
        user = self.get_object()
        assert_type(user, User)
        return user.name


class WholeViewSet(VersionedModelViewSet[User]):
    queryset = User.objects.all()
    serializer_class = UserSerializer

    def user_name(self) -> str:
        user = self.get_object()
        assert_type(user, User)
        return user.name
