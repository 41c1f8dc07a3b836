"""Writes of many-to-many values: an ``@action``, and PUT, PATCH and POST by a serializer."""

import pytest
from django.test import Client
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Draft, Label, Recipe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


class LabelsMixin:
    @action(detail=True, methods=["post"])
    def mark(self, request, pk):
        row = self.get_object()
        row.labels.set(request.data["labels"])
        return Response(self.get_serializer(row).data)


class RecipeViewSet(LabelsMixin, VersionedModelViewSet):
    queryset = Recipe.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Recipe
            fields = ("id", "name", "labels")


class DraftViewSet(LabelsMixin, VersionedModelViewSet):
    queryset = Draft.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Draft
            fields = ("id", "name", "labels")


router = SimpleRouter()
router.register("recipes", RecipeViewSet)
router.register("drafts", DraftViewSet)
urlpatterns = [path("", include(router.urls))]


@pytest.fixture(params=[Recipe, Draft])
def url(request):
    row = request.param.objects.create(name="a")
    return f"/{request.param._meta.model_name}s/{row.pk}/"


@pytest.fixture
def labels():
    return [Label.objects.create(name=name).pk for name in "xy"]


@pytest.mark.parametrize(
    ("method", "suffix"),
    [("patch", ""), ("put", ""), ("post", "mark/")],
    ids=["patch", "put", "action"],
)
def test_two_clients_with_one_tag_one_gets_200(race, url, labels, method, suffix):
    tag = Client().get(url)["ETag"]
    answers = race(
        *[
            lambda pk=pk: getattr(APIClient(), method)(
                url + suffix,
                {"name": "a", "labels": [pk]},
                format="json",
                headers={"If-Match": tag},
            )
            for pk in labels
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    winner = next(answer for answer in answers if answer.status_code == 200)
    again = Client().get(url, headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert again.json() == winner.json()


@pytest.mark.parametrize(
    ("method", "suffix"),
    [("patch", ""), ("put", ""), ("post", "mark/")],
    ids=["patch", "put", "action"],
)
def test_a_tag_is_good_for_one_write(url, labels, method, suffix):
    client = APIClient()
    tag = client.get(url)["ETag"]
    for value, pk, status in ((tag, labels[0], 200), (tag, labels[1], 412)):
        answer = getattr(client, method)(
            url + suffix,
            {"name": "a", "labels": [pk]},
            format="json",
            headers={"If-Match": value},
        )
        assert answer.status_code == status
    assert client.get(url).json()["labels"] == [labels[0]]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_the_answer_s_tag_is_that_of_the_next_get(url, labels, method):
    client = APIClient()
    content = {"name": "b", "labels": labels}
    headers = {"If-Match": client.get(url)["ETag"]}
    answer = getattr(client, method)(url, content, format="json", headers=headers)
    assert answer.status_code == 200
    assert answer["ETag"] == client.get(url)["ETag"]


def test_a_created_row_s_tag_is_that_of_the_next_get(labels):
    client = APIClient()
    answer = client.post("/recipes/", {"name": "a", "labels": labels}, format="json")
    assert answer.status_code == 201
    assert answer["ETag"] == client.get(f"/recipes/{answer.json()['id']}/")["ETag"]
