"""A handler that loads another row than the one that its address names."""

import pytest
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    @action(detail=True, methods=["post"])
    def give(self, request, pk=None):
        self.kwargs["pk"] = request.data["to"]
        receiver = self.get_object()
        receiver.days += 1
        receiver.save()
        self.kwargs["pk"] = pk
        giver = self.get_object()
        giver.days -= 1
        giver.save()
        return Response({})


router = SimpleRouter()
router.register("people", PersonViewSet)
urlpatterns = router.urls


def test_get_object_loads_the_row_that_the_handler_has_put_into_kwargs():
    giver = Person.objects.create(name="a", days=1)
    receiver = Person.objects.create(name="b", days=1)
    url = f"/people/{giver.pk}/"
    client = APIClient()
    headers = {"If-Match": client.get(url)["ETag"]}
    answer = client.post(f"{url}give/", {"to": receiver.pk}, headers=headers)
    assert answer.status_code == 200
    assert dict(Person.objects.values_list("name", "days")) == {"a": 0, "b": 2}
