"""The browsable API's page of a refused request: never a 500, and only what a GET shows."""

import json
import logging

import pytest
from django.http import Http404
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person, Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_html_refusals"),
]


class TeamSerializer(serializers.ModelSerializer):
    shouted = serializers.SerializerMethodField()

    class Meta:
        model = Team
        fields = ("name", "shouted")

    def get_shouted(self, team):
        return team.name.upper()


class NestedSerializer(serializers.ModelSerializer):
    team = TeamSerializer()

    class Meta:
        model = Person
        fields = ("id", "name", "team")


class NestedListSerializer(serializers.ModelSerializer):
    person_set = NestedSerializer(many=True)

    class Meta:
        model = Team
        fields = ("id", "name", "person_set")


class DoubledField(serializers.Field):
    """Shows another type than it takes, and fails on what it was given."""

    def to_internal_value(self, data):
        return object()

    def to_representation(self, value):
        return str(value + "!")


class AllKindsSerializer(serializers.ModelSerializer):
    doubled = DoubledField(source="name")
    choice = serializers.MultipleChoiceField(choices=["a", "b"], source="get_choice")
    day = serializers.DateField(source="get_day")
    amount = serializers.DecimalField(4, 1, source="get_amount")
    mapping = serializers.DictField(child=serializers.IntegerField(), source="get_mapping")
    numbers = serializers.ListField(child=serializers.IntegerField(), source="get_numbers")
    text = serializers.JSONField(source="get_text")
    link = serializers.HyperlinkedIdentityField(view_name="kinds-detail")
    key = serializers.PrimaryKeyRelatedField(queryset=Team.objects.all(), source="team")
    upload = serializers.FileField(source="get_upload", allow_null=True)

    class Meta:
        model = Person
        fields = (
            "id",
            "name",
            "doubled",
            "choice",
            "day",
            "amount",
            "mapping",
            "numbers",
            "text",
            "link",
            "key",
            "upload",
        )

    def to_representation(self, instance):
        for name, value in KINDS.items():
            setattr(instance, name, value)
        return super().to_representation(instance)


KINDS = {
    "get_choice": ["a"],
    "get_day": None,
    "get_amount": 1,
    "get_mapping": {"a": 1},
    "get_numbers": [1, 2],
    "get_text": {"a": [1]},
    "get_upload": None,
}


class NestedViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = NestedSerializer


class NestedListViewSet(VersionedModelViewSet):
    queryset = Team.objects.all()
    serializer_class = NestedListSerializer


class KindsViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = AllKindsSerializer


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer
    conflict_includes_current = True

    @action(detail=True, methods=["post"])
    def work(self, request, pk=None):
        return Response({})


class AbsentViewSet(PersonViewSet):
    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            raise Http404
        return super().retrieve(request, *args, **kwargs)


class ForbiddenViewSet(PersonViewSet):
    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            raise PermissionDenied
        return super().retrieve(request, *args, **kwargs)


class AnsweringViewSet(PersonViewSet):
    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            return Response(status=404)
        return super().retrieve(request, *args, **kwargs)


class FailingViewSet(PersonViewSet):
    def retrieve(self, request, *args, **kwargs):
        raise LookupError


router = SimpleRouter()
for prefix, viewset in {
    "nested": NestedViewSet,
    "nested-lists": NestedListViewSet,
    "kinds": KindsViewSet,
    "people": PersonViewSet,
    "absent": AbsentViewSet,
    "forbidden": ForbiddenViewSet,
    "answering": AnsweringViewSet,
    "failing": FailingViewSet,
}.items():
    router.register(prefix, viewset, prefix)
urlpatterns = [path("", include(router.urls))]

STALE = '"stale"'


@pytest.fixture
def person():
    return Person.objects.create(name="Grace", team=Team.objects.create(name="navy"))


def page(method, url, content=None, tag=None, kind="application/json"):
    headers = {"Accept": "text/html", **({"If-Match": tag} if tag else {})}
    body = None if content is None else json.dumps(content)
    client = APIClient(raise_request_exception=False)
    return client.generic(method, url, body or "", kind, headers=headers)


class TestComparison:
    def test_a_nested_serializer_with_a_method_field_is_compared(self, person):
        content = {"name": "Grace", "team": {"name": "army"}}
        shown = page("PUT", f"/nested/{person.pk}/", content, STALE)
        assert shown.status_code == 412
        assert "{&quot;name&quot;: &quot;navy&quot;}" in shown.text
        assert "{&quot;name&quot;: &quot;army&quot;}" in shown.text

    def test_a_nested_serializer_with_what_is_there_is_no_difference(self, person):
        content = {"name": "Ada", "team": {"name": "navy", "shouted": "ignored"}}
        shown = page("PUT", f"/nested/{person.pk}/", content, STALE)
        assert shown.status_code == 412
        assert 'id="conflict"' in shown.text
        assert "{&quot;name&quot;: &quot;navy&quot;}" not in shown.text

    @pytest.mark.parametrize("nested", [None, "x", [], [{"name": "x"}], {}, {"name": {"a": 1}}, 7])
    def test_a_nested_value_of_any_shape_is_no_error(self, person, nested):
        shown = page("PUT", f"/nested/{person.pk}/", {"name": "Ada", "team": nested}, STALE)
        assert shown.status_code == 412
        assert 'id="conflict"' in shown.text

    @pytest.mark.parametrize(
        "nested", [[], {}, "x", [None], [{"name": "Grace", "team": {"name": "army"}}]]
    )
    def test_a_list_of_nested_values_of_any_shape_is_no_error(self, person, nested):
        content = {"name": "x", "person_set": nested}
        shown = page("PUT", f"/nested-lists/{person.team_id}/", content, STALE)
        assert shown.status_code == 412
        assert 'id="conflict"' in shown.text

    @pytest.mark.parametrize(
        "value", [None, "x", 7, -1.5, [], ["a"], {"a": 1}, {"a": {"b": []}}, True, "2026-13-01"]
    )
    def test_each_kind_of_field_takes_any_value(self, person, value):
        names = [name for name in AllKindsSerializer.Meta.fields if name != "id"]
        shown = page("PUT", f"/kinds/{person.pk}/", dict.fromkeys(names, value), STALE)
        assert shown.status_code == 412
        assert 'id="conflict"' in shown.text

    def test_a_key_that_was_taken_out_of_a_mapping_is_a_difference(self, person):
        shown = page("PATCH", f"/kinds/{person.pk}/", {"mapping": {}}, STALE)
        assert "{&quot;a&quot;: 1}" in shown.text

    def test_a_form_with_nested_values_is_compared(self, person):
        shown = page("PUT", f"/nested/{person.pk}/", None, STALE, "multipart/form-data; boundary=x")
        assert shown.status_code == 412


@pytest.mark.parametrize("kind", ["absent", "forbidden", "answering", "failing"])
class TestWhoMayNotGetTheRow:
    @pytest.fixture(autouse=True)
    def secret(self, person, caplog):
        Person.objects.filter(pk=person.pk).update(name="secret")
        person.refresh_from_db()
        caplog.set_level(logging.CRITICAL, "etag_versioning")
        return person

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("tag", [None, STALE], ids=["428", "412"])
    def test_the_page_of_a_refused_write_shows_neither_content_nor_tag(
        self, secret, kind, method, tag
    ):
        content = None if method == "DELETE" else {"name": "x", "days": 1}
        shown = page(method, f"/{kind}/{secret.pk}/", content, tag)
        assert shown.status_code == (412 if tag else 428)
        assert "secret" not in shown.text
        assert "ETag" not in shown
        assert f"v{secret.version}." not in shown.text

    def test_the_page_of_an_action_without_get_shows_neither_content_nor_tag(self, secret, kind):
        shown = page("GET", f"/{kind}/{secret.pk}/work/")
        assert shown.status_code == 405
        assert "secret" not in shown.text
        assert f"v{secret.version}." not in shown.text

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_the_json_of_a_412_shows_neither_content_nor_tag(self, secret, kind, method):
        answer = getattr(APIClient(), method.lower())(
            f"/{kind}/{secret.pk}/", {}, headers={"If-Match": STALE}
        )
        assert answer.status_code == 412
        assert "ETag" not in answer
        assert not {"current", "current_etag"} & answer.json().keys()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "POST", "GET", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("key", ["x", "1" * 30, "1" * 5000, "%00", "%ED%A0%80", "-1", "1.5"])
def test_a_page_at_a_key_that_no_row_can_have_is_no_500(method, key):
    for url in (f"/people/{key}/", f"/people/{key}/work/"):
        assert 200 <= page(method, url).status_code < 500
