"""
A column that clients see but that guards nothing, such as ``last_seen``: ``unversioned_fields``
leaves it out of the state, and an annotation of the view's queryset puts it into the tag.
"""

import pytest
from django.db import models
from django.db.models import F
from django.http import JsonResponse
from django.test import Client
from django.urls import include, path
from rest_framework import serializers
from rest_framework.routers import SimpleRouter

from etag_versioning.decorators import versioned_condition
from etag_versioning.models import VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet


class Device(VersionedModel):
    unversioned_fields = ("last_seen",)

    name = models.CharField(max_length=50)
    last_seen = models.IntegerField(default=0)

    class Meta:
        app_label = "testapp"


def shown_devices():
    return Device.objects.annotate(shown_last_seen=F("last_seen"))


@versioned_condition(shown_devices(), lookup_url_kwarg="pk")
def device(request, pk):
    row = Device.objects.get(pk=pk)
    if request.method == "PUT":
        row.name = "edited"
        row.save()
    return JsonResponse({"name": row.name, "last_seen": row.last_seen})


def all_devices(request, pk):
    return shown_devices().order_by("pk")


@versioned_condition(shown_devices(), all_devices, lookup_url_kwarg="pk")
def device_beside_all(request, pk):
    return JsonResponse({"last_seen": list(Device.objects.values_list("last_seen", flat=True))})


class DeviceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Device
        fields = ("name", "last_seen")


class DeviceViewSet(VersionedModelViewSet):
    queryset = shown_devices()
    serializer_class = DeviceSerializer


router = SimpleRouter()
router.register("api", DeviceViewSet)
urlpatterns = [
    path("plain/<int:pk>/", device),
    path("beside/<int:pk>/", device_beside_all),
    path("", include(router.urls)),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

DETAIL = ["/plain/{}/", "/api/{}/"]
LIST = ["/beside/{}/", "/api/"]


def ping(device):
    """As a background process does, with an instance that it has had for long."""
    device.last_seen += 1
    device.save(update_fields=["last_seen"])


def get(url, tag):
    return Client().get(url, headers={"If-None-Match": tag})


def put(url, tag):
    return Client().put(
        url, {"name": "edited"}, content_type="application/json", headers={"If-Match": tag}
    )


@pytest.mark.parametrize("url", DETAIL + LIST)
def test_a_get_sees_the_column_change(url):
    device = Device.objects.create(name="a")
    url = url.format(device.pk)
    tag = Client().get(url)["ETag"]
    assert get(url, tag).status_code == 304
    ping(device)
    answer = get(url, tag)
    assert answer.status_code == 200
    assert get(url, answer["ETag"]).status_code == 304


@pytest.mark.parametrize("url", DETAIL)
def test_an_edit_of_the_older_row_is_not_refused_for_it(url):
    device = Device.objects.create(name="a")
    url = url.format(device.pk)
    tag = Client().get(url)["ETag"]
    ping(device)
    assert put(url, tag).status_code == 200
    assert Device.objects.get().name == "edited"


@pytest.mark.parametrize("url", DETAIL)
def test_an_edit_of_what_another_has_edited_is_refused(url):
    device = Device.objects.create(name="a")
    url = url.format(device.pk)
    tag = Client().get(url)["ETag"]
    device.save()
    assert put(url, tag).status_code == 412


@pytest.mark.parametrize("url", DETAIL)
def test_the_tag_that_an_edit_answers_guards_the_next_one(url):
    device = Device.objects.create(name="a")
    url = url.format(device.pk)
    first = put(url, Client().get(url)["ETag"])
    ping(device)
    assert put(url, first["ETag"]).status_code == 200


def test_a_save_is_not_stale_for_it():
    device = Device.objects.create(name="a")
    edited = Device.objects.get()
    ping(device)
    edited.name = "edited"
    edited.save(update_fields=["name"])
    assert (Device.objects.get().name, Device.objects.get().last_seen) == ("edited", 1)
