"""What an OpenAPI schema says of preconditions and tags."""

import re

import pytest
from django.test import override_settings
from rest_framework import generics, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.mixins import (
    VersionedAPIViewMixin,
    VersionedListMixin,
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

pytest.importorskip("drf_spectacular", reason="drf-spectacular is not installed")

from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from drf_spectacular.validation import validate_schema

from etag_versioning.rest_framework.schema import VersionedSchemaMixin


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer

    def get_if_match(self):
        return "optional" if self.action == "partial_update" else super().get_if_match()

    @action(detail=True, methods=["post"])
    def work(self, request, pk=None): ...

    @action(detail=True, methods=["post"], if_match="optional")
    def remind(self, request, pk=None): ...

    @action(detail=False, methods=["post"])
    def tidy(self, request): ...

    @action(detail=True)
    @versioned_read
    def summary(self, request, pk=None): ...

    @action(detail=True)
    def plain(self, request, pk=None): ...


class DatedViewSet(PersonViewSet):
    """With words of its own."""

    allow_unmodified_since = True
    last_modified = True


class UpsertViewSet(PersonViewSet):
    allow_create = True
    if_match = "report"


class TaggedSerializer(serializers.ModelSerializer):
    etag = ETagField()

    class Meta:
        model = Person
        fields = ("id", "name", "etag")


class BulkViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = TaggedSerializer


class PlainViewSet(viewsets.ModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class OnePerson(
    VersionedRetrieveMixin, VersionedUpdateMixin, generics.RetrieveUpdateDestroyAPIView
):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class People(VersionedListMixin, generics.ListCreateAPIView):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class Report(VersionedAPIViewMixin, APIView):
    @extend_schema(responses=PersonSerializer)
    @versioned_read
    def get(self, request, pk):
        return Response({})


class ProjectAutoSchema(AutoSchema):
    def get_tags(self):
        return ["ours"]


class ProjectSchema(VersionedSchemaMixin, ProjectAutoSchema):
    pass


class Gone(serializers.Serializer):
    why = serializers.CharField()


class ExtendedViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    schema = ProjectSchema()

    @extend_schema(
        parameters=[OpenApiParameter("If-Match", str, "header", description="Our own.")],
        responses={200: PersonSerializer, 412: OpenApiResponse(Gone, "Our own too.")},
    )
    def update(self, request, *args, **kwargs):
        return super().update(request, *args, **kwargs)

    @extend_schema(exclude=True)
    def destroy(self, request, *args, **kwargs):
        return super().destroy(request, *args, **kwargs)


router = SimpleRouter()
router.register("people", PersonViewSet)
router.register("dated", DatedViewSet, basename="dated")
router.register("upserts", UpsertViewSet, basename="upserts")
router.register("bulk", BulkViewSet, basename="bulk")
router.register("plain", PlainViewSet, basename="plain")
router.register("extended", ExtendedViewSet, basename="extended")
urlpatterns = [
    path("one/<int:pk>/", OnePerson.as_view()),
    path("all/", People.as_view()),
    path("report/<int:pk>/", Report.as_view()),
    path("", include(router.urls)),
]


@pytest.fixture(scope="module")
def schema():
    made = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)
    validate_schema(made)
    return made


def headers_of(operation):
    return {
        each["name"]: each.get("required", False)
        for each in operation.get("parameters", [])
        if each["in"] == "header"
    }


def answer_headers(operation, code):
    return set(operation["responses"][code].get("headers", {}))


def answers_of(operation):
    return set(operation["responses"])


@pytest.fixture
def row(schema):
    return schema["paths"]["/people/{id}/"]


class TestReads:
    def test_a_row(self, row):
        assert headers_of(row["get"]) == {"If-None-Match": False}
        assert answers_of(row["get"]) == {"200", "304"}
        for code in ("200", "304"):
            assert answer_headers(row["get"], code) == {"ETag", "Cache-Control"}
        assert "content" not in row["get"]["responses"]["304"]

    def test_a_row_has_a_date_where_the_view_shows_it(self, schema):
        operation = schema["paths"]["/dated/{id}/"]["get"]
        for code in ("200", "304"):
            assert answer_headers(operation, code) == {"ETag", "Last-Modified", "Cache-Control"}

    def test_a_list_has_no_date(self, schema):
        for url in ("/people/", "/all/"):
            operation = schema["paths"][url]["get"]
            assert headers_of(operation) == {"If-None-Match": False}
            assert answer_headers(operation, "304") == {"ETag", "Cache-Control"}

    @pytest.mark.parametrize("url", ["/people/{id}/summary/", "/report/{id}/", "/one/{id}/"])
    def test_other_handlers_that_show_a_row(self, schema, url):
        operation = schema["paths"][url]["get"]
        assert headers_of(operation) == {"If-None-Match": False}
        assert "ETag" in answer_headers(operation, "304")

    def test_an_action_of_the_projects_own_has_a_tag_too(self, schema):
        operation = schema["paths"]["/people/{id}/plain/"]["get"]
        assert headers_of(operation) == {"If-None-Match": False}
        assert answer_headers(operation, "304") == {"ETag", "Cache-Control"}


class TestWrites:
    @pytest.mark.parametrize("method", ["put", "delete"])
    def test_if_match_is_required(self, row, method):
        assert headers_of(row[method]) == {"If-Match": True}
        assert {"409", "412", "428", "503"} <= answers_of(row[method])

    def test_it_is_optional_where_the_action_says_so(self, row, schema):
        remind = schema["paths"]["/people/{id}/remind/"]["post"]
        for operation in (row["patch"], remind):
            assert headers_of(operation) == {"If-Match": False}
            assert {"409", "412", "503"} <= answers_of(operation)
            assert "428" not in answers_of(operation)

    def test_actions_that_write_are_guarded(self, schema):
        work = schema["paths"]["/people/{id}/work/"]["post"]
        assert headers_of(work) == {"If-Match": True}
        assert "428" in answers_of(work)
        assert "ETag" in answer_headers(work, "200")

    def test_actions_of_a_list_are_not(self, schema):
        tidy = schema["paths"]["/people/tidy/"]["post"]
        assert headers_of(tidy) == {}
        assert answers_of(tidy) == {"200"}

    def test_a_date_may_stand_in_where_it_is_allowed(self, schema):
        put = schema["paths"]["/dated/{id}/"]["put"]
        assert headers_of(put) == {"If-Match": False, "If-Unmodified-Since": False}
        assert "428" in answers_of(put)

    def test_answers_carry_the_new_tag(self, row):
        assert answer_headers(row["put"], "200") == {"ETag", "Content-Location"}
        assert answer_headers(row["delete"], "204") == set()

    @override_settings(ETAG_VERSIONING={"ETAG_ON_PUT": False})
    def test_but_to_put_where_the_setting_leaves_it_out(self):
        paths = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)["paths"]
        row = paths["/people/{id}/"]
        assert answer_headers(row["put"], "200") == {"Content-Location"}
        assert answer_headers(row["patch"], "200") == {"ETag", "Content-Location"}

    def test_the_body_of_an_error(self, row, schema):
        for code in ("409", "412", "428", "503"):
            content = row["put"]["responses"][code]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/PreconditionError"}
            problem = row["put"]["responses"][code]["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/PreconditionProblem"}
        body = schema["components"]["schemas"]["PreconditionError"]
        assert {"error", "reason", "message", "current_etag"} <= set(body["properties"])
        assert set(body["required"]) == {"error", "reason", "message"}
        problem = schema["components"]["schemas"]["PreconditionProblem"]
        assert "reason" in problem["required"]

    def test_a_creation(self, schema):
        post = schema["paths"]["/people/"]["post"]
        assert headers_of(post) == {"If-None-Match": False}
        assert answer_headers(post, "201") == {"ETag", "Location"}
        assert {"409", "412", "503"} <= answers_of(post)
        assert "428" not in answers_of(post)

    def test_a_method_without_its_mixin_is_as_before(self, schema):
        assert headers_of(schema["paths"]["/one/{id}/"]["put"]) == {"If-Match": True}
        for operation in (
            schema["paths"]["/one/{id}/"]["delete"],
            schema["paths"]["/all/"]["post"],
        ):
            assert headers_of(operation) == {}
            assert len(answers_of(operation)) == 1


class TestOptions:
    def test_put_may_create(self, schema):
        operation = schema["paths"]["/upserts/{id}/"]["put"]
        assert headers_of(operation) == {"If-Match": False, "If-None-Match": False}
        assert answer_headers(operation, "200") == {"ETag", "Content-Location"}
        assert answer_headers(operation, "201") == {"ETag", "Content-Location", "Location"}
        responses = operation["responses"]
        assert responses["201"]["content"] == responses["200"]["content"]

    def test_what_is_reported_passes(self, schema):
        row = schema["paths"]["/upserts/{id}/"]
        assert headers_of(row["delete"]) == {"If-Match": False}
        for method in ("put", "delete"):
            assert "412" in answers_of(row[method])
            assert "428" not in answers_of(row[method])

    def test_the_tag_may_be_in_the_content(self, schema):
        row = schema["paths"]["/bulk/{id}/"]
        for method in ("put", "patch"):
            assert headers_of(row[method]) == {"If-Match": False}
            (header,) = [each for each in row[method]["parameters"] if each["in"] == "header"]
            assert "as etag in the content" in header["description"]
        # A DELETE has none.
        assert headers_of(row["delete"]) == {"If-Match": True}
        properties = schema["components"]["schemas"]["Tagged"]["properties"]
        assert properties["etag"] == {"type": "string", "readOnly": True}

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_bulk_updates(self, schema, method):
        operation = schema["paths"]["/bulk/"][method]
        assert headers_of(operation) == {}
        assert {"409", "412", "428", "503"} <= answers_of(operation)
        assert answer_headers(operation, "200") == set()
        for message in (operation["requestBody"], operation["responses"]["200"]):
            assert message["content"]["application/json"]["schema"]["type"] == "array"


def test_no_view_of_these_is_warned_of(capsys):
    SchemaGenerator(patterns=urlpatterns).get_schema(public=True)
    assert "ETagField" not in capsys.readouterr().err


def test_other_views_are_described_as_before(schema):
    made = SchemaGenerator(patterns=urlpatterns)
    for operation in [
        each
        for url in ("/plain/", "/plain/{id}/")
        for each in made.get_schema(public=True)["paths"][url].values()
    ]:
        assert headers_of(operation) == {}
        assert len(answers_of(operation)) == 1


class TestProjectsOwn:
    def test_schema_class(self, schema):
        operation = schema["paths"]["/extended/{id}/"]["get"]
        assert operation["tags"] == ["ours"]
        assert "304" in answers_of(operation)

    def test_words_of_extend_schema_come_first(self, schema):
        put = schema["paths"]["/extended/{id}/"]["put"]
        described = [
            each["description"] for each in put["parameters"] if each["name"] == "If-Match"
        ]
        assert described == ["Our own."]
        assert put["responses"]["412"]["description"] == "Our own too."
        assert "428" in answers_of(put)

    def test_what_is_excluded_stays_out(self, schema):
        assert "delete" not in schema["paths"]["/extended/{id}/"]

    def test_the_mixins_docstrings_describe_no_project(self, row, schema):
        assert "description" not in row["get"]
        assert schema["paths"]["/dated/{id}/"]["get"]["description"] == "With words of its own."


@pytest.mark.parametrize(
    ("value", "matches"),
    [
        ("*", True),
        ('"user-7-v3.k2m9x1q0~json.8c1f"', True),
        ('W/"a" , "b"', True),
        ('""', True),
        ("user-7-v3", False),
        ('"a" "b"', False),
        ('"a", junk', False),
        ("", False),
    ],
)
def test_the_pattern_of_if_match(row, value, matches):
    pattern = next(
        each["schema"]["pattern"] for each in row["put"]["parameters"] if each["name"] == "If-Match"
    )
    assert bool(re.search(pattern, value)) is matches


@pytest.mark.urls("example_project.urls")
def test_the_example_serves_it_and_needs_nothing_from_elsewhere(client):
    schema = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert schema.status_code == 200
    page = client.get("/api/docs/").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert "https://" not in page.replace("https://www.w3.org", "")
