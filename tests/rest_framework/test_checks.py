"""Views with the mixins, found by the URLconf."""

import sys
from types import ModuleType

import pytest
from django.core import checks
from django.test import override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.vary import vary_on_cookie
from rest_framework import generics, serializers
from rest_framework.decorators import action
from rest_framework.mixins import CreateModelMixin
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from etag_versioning.checks import check_views
from etag_versioning.rest_framework.list_validators import count_and_max_updated_at
from etag_versioning.rest_framework.mixins import (
    VersionedAPIViewMixin,
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
    VersionedViewSetMixin,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Counter, Person, Plain


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "version", "updated_at", "name")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


def found(*routes):
    """What the check says of a URLconf of these routes."""
    module = ModuleType("urls_of_one_test")
    module.urlpatterns = list(routes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with override_settings(ROOT_URLCONF=module.__name__):
            return check_views()


def routed(viewset):
    """What the check says of a viewset under DRF's router."""
    router = SimpleRouter()
    router.register("people", viewset, basename="people")
    return found(path("", include(router.urls)))


def with_options(**options):
    return type("People", (PersonViewSet,), {"__module__": __name__, **options})


def ids(messages):
    return [message.id for message in messages]


def test_a_viewset_that_is_in_order_is_no_error():
    assert routed(PersonViewSet) == []


def test_a_viewset_of_a_model_without_version_is_an_error():
    (message,) = routed(with_options(queryset=Plain.objects.all()))
    assert (message.id, message.level) == ("etag_versioning.E202", checks.ERROR)
    assert "People shows testapp.Plain, which has no version" in message.msg
    assert "class Plain(VersionedModel)" in message.hint


def test_the_serializer_names_the_model_of_a_view_whose_queryset_needs_a_request():
    class PlainSerializer(serializers.ModelSerializer):
        class Meta:
            model = Plain
            fields = ("id",)

    class People(VersionedModelViewSet):
        serializer_class = PlainSerializer

        def get_queryset(self):
            return self.request.user.people.all()

    assert ids(routed(People)) == ["etag_versioning.E202"]


def test_a_view_whose_model_nobody_knows_before_a_request_is_no_error():
    class People(VersionedModelViewSet):
        def get_queryset(self):
            return self.request.user.people.all()

        def get_serializer_class(self):
            return self.request.user.serializer

    assert routed(People) == []


def test_a_view_that_names_its_row_itself_is_no_error():
    class Report(VersionedAPIViewMixin, APIView):
        def get_versioned_queryset(self):
            return Person.objects.filter(pk=self.kwargs["user_id"])

        def get(self, request, user_id):
            return Response()

    assert found(path("<int:user_id>/", Report.as_view())) == []


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("if_match", "requird", 'if_match = "required"'),
        ("if_match", True, 'if_match = "required"'),
        ("if_match", None, 'if_match = "required"'),
        ("allow_wildcard", "no", "allow_wildcard = True"),
        ("allow_create", "False", "allow_create = True"),
        ("allow_unmodified_since", 1, "allow_unmodified_since = True"),
        ("conflict_includes_current", None, "conflict_includes_current = True"),
        ("etag_extra", "beta", 'etag_extra = ("beta",)'),
        ("etag_extra", 5, "etag_extra = (…,)"),
        ("list_validator", "max_version_and_count", "list_validator = max_version_and_count"),
        ("cache_control", "max-age=60", 'cache_control = {"private": True, "max_age": 60}'),
        ("cache_control", {"public": True, "private": True}, "Leave one of the two out."),
    ],
)
def test_an_option_with_a_wrong_value_is_an_error(option, value, hint):
    (message,) = routed(with_options(**{option: value}))
    assert (message.id, message.level) == ("etag_versioning.E201", checks.ERROR)
    assert "People" in message.msg
    assert message.hint == hint


def test_an_option_of_one_action_with_a_wrong_value_is_an_error():
    class People(PersonViewSet):
        @action(detail=True, methods=["post"], if_match="optinal")
        def remind(self, request, pk=None):
            return Response()

    (message,) = routed(People)
    assert message.id == "etag_versioning.E201"
    assert "if_match = 'optinal'" in message.msg


def test_options_that_are_computed_are_no_error():
    class People(PersonViewSet):
        @property
        def if_match(self):
            return "optional" if self.action == "update" else "required"

        @property
        def allow_create(self):
            return self.request.user.is_staff

        @property
        def cache_control(self):
            return {"private": True}

        @property
        def etag_extra(self):
            return [self.request.user.pk]

    assert routed(People) == []


def test_a_list_validator_of_a_timestamp_that_the_model_does_not_have_is_an_error():
    class Counters(VersionedModelViewSet):
        queryset = Counter.objects.all()
        list_validator = count_and_max_updated_at

    (message,) = routed(Counters)
    assert message.id == "etag_versioning.E201"
    assert "testapp.Counter has no timestamp" in message.msg


def test_allow_create_without_a_way_to_create_is_an_error():
    class People(VersionedUpdateMixin, generics.UpdateAPIView):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer
        allow_create = True

    (message,) = found(path("<int:pk>/", People.as_view()))
    assert message.id == "etag_versioning.E201"
    assert "perform_create()" in message.msg


def test_a_viewset_under_a_route_without_its_lookup_is_an_error():
    view = PersonViewSet.as_view({"get": "retrieve", "put": "update"})
    (message,) = found(path("people/<int:user_id>/", view))
    assert (message.id, message.level) == ("etag_versioning.E203", checks.ERROR)
    assert 'the URL keyword argument "pk"' in message.msg
    assert message.hint == 'lookup_url_kwarg = "user_id"'


def test_a_generic_view_with_a_wrong_lookup_url_kwarg_is_an_error():
    class People(VersionedRetrieveMixin, generics.RetrieveAPIView):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer
        lookup_url_kwarg = "user"

    assert ids(found(path("<int:user_id>/", People.as_view()))) == ["etag_versioning.E203"]
    assert found(path("<int:user_id>/", People.as_view(lookup_url_kwarg="user_id"))) == []


def test_a_list_and_a_view_with_its_own_get_object_need_no_keyword_argument():
    class Me(PersonViewSet):
        def get_object(self):
            return self.request.user.person

    people = PersonViewSet.as_view({"get": "list", "post": "create"})
    me = Me.as_view({"get": "retrieve"})
    assert found(path("people/", people), path("me/", me)) == []


def test_a_retrieve_of_the_project_s_own_needs_no_keyword_argument():
    class Me(PersonViewSet):
        def retrieve(self, request):
            return Response({"name": request.user.name})

    assert found(path("me/", Me.as_view({"get": "retrieve"}))) == []


def test_a_lookup_field_that_the_model_does_not_have_is_an_error():
    (message,) = routed(with_options(lookup_field="username"))
    assert message.id == "etag_versioning.E204"
    assert 'has lookup_field = "username", but testapp.Person has no such field' in message.msg


def test_a_tag_key_that_the_model_does_not_have_is_an_error():
    assert ids(routed(with_options(tag_key="uuid"))) == ["etag_versioning.E204"]


def test_a_declared_version_that_clients_can_write_is_a_warning():
    class Writable(serializers.ModelSerializer):
        version = serializers.IntegerField()

        class Meta:
            model = Person
            fields = ("id", "version", "name")

    (message,) = routed(with_options(serializer_class=Writable))
    assert (message.id, message.level) == ("etag_versioning.W201", checks.WARNING)
    assert 'lets clients write "version"' in message.msg
    assert 'read_only_fields = ("version",)' in message.hint
    assert "version = serializers.IntegerField(read_only=True)" in message.hint


def test_a_timestamp_under_another_name_that_clients_can_write_is_a_warning():
    class Writable(serializers.ModelSerializer):
        changed = serializers.DateTimeField(source="updated_at")

        class Meta:
            model = Person
            fields = ("id", "changed", "name")

    (message,) = routed(with_options(serializer_class=Writable))
    assert message.id == "etag_versioning.W201"
    assert 'lets clients write "changed"' in message.msg


def test_a_serializer_that_is_no_model_serializer_is_checked_too():
    class Writable(serializers.Serializer):
        version = serializers.IntegerField()

    assert ids(routed(with_options(serializer_class=Writable))) == ["etag_versioning.W201"]


def test_a_nested_version_that_clients_can_write_is_a_warning():
    class Nested(serializers.ModelSerializer):
        version = serializers.IntegerField()

        class Meta:
            model = Person
            fields = ("version",)

    class Outer(PersonSerializer):
        people = Nested(many=True)

        class Meta:
            model = Person
            fields = ("id", "people")

    assert ids(routed(with_options(serializer_class=Outer))) == ["etag_versioning.W201"]


def test_a_writable_version_of_a_view_that_only_reads_is_no_warning():
    class Writable(serializers.Serializer):
        version = serializers.IntegerField()

    view = with_options(serializer_class=Writable).as_view({"get": "retrieve"})
    assert found(path("<int:pk>/", view)) == []


def test_a_serializer_that_needs_a_request_is_no_error():
    class Asking(serializers.Serializer):
        def get_fields(self):
            return self.context["request"].fields

    assert routed(with_options(serializer_class=Asking)) == []


def test_a_decorator_around_the_view_hides_nothing():
    view = vary_on_cookie(PersonViewSet.as_view({"get": "retrieve"}))
    assert ids(found(path("<int:user_id>/", view))) == ["etag_versioning.E203"]


def test_a_view_without_the_mixins_is_not_checked():
    class People(ModelViewSet):
        queryset = Plain.objects.all()
        if_match = "nonsense"

    assert routed(People) == []


def test_an_adrf_viewset_is_checked():
    adrf = pytest.importorskip("adrf.viewsets")
    from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin

    class People(AsyncVersionedViewSetMixin, adrf.ModelViewSet):
        queryset = Plain.objects.all()

    view = People.as_view({"get": "aretrieve"})
    messages = found(path("<int:user_id>/", view))
    assert ids(messages) == ["etag_versioning.E202", "etag_versioning.E203"]


def test_a_mixin_in_a_viewset_of_its_own_is_checked():
    class People(VersionedViewSetMixin, ModelViewSet):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer
        if_match = "optinal"

    assert ids(routed(People)) == ["etag_versioning.E201"]


# Views without the mixins.


class PlainPersonViewSet(ModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


def test_a_viewset_without_the_mixin_that_writes_versioned_rows_is_a_warning():
    (message,) = routed(PlainPersonViewSet)
    assert (message.id, message.level) == ("etag_versioning.W209", checks.WARNING)
    assert "writes testapp.Person (DELETE, PATCH, PUT) without preconditions" in message.msg
    assert "class PlainPersonViewSet(VersionedViewSetMixin, ModelViewSet)" in message.hint


def test_a_generic_view_without_the_mixins_that_writes_versioned_rows_is_a_warning():
    class PersonView(generics.RetrieveUpdateAPIView):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer

    (message,) = found(path("<int:pk>/", PersonView.as_view()))
    assert message.id == "etag_versioning.W209"
    assert "(PATCH, PUT)" in message.msg


def test_a_viewset_without_the_mixin_that_only_reads_and_creates_is_no_warning():
    class People(CreateModelMixin, ReadOnlyModelViewSet):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer

    assert routed(People) == []


def test_a_viewset_without_the_mixin_whose_rows_have_no_version_is_no_warning():
    class Plains(ModelViewSet):
        queryset = Plain.objects.all()

    assert routed(Plains) == []


# Decorators that forbid to store what has a tag.


@pytest.mark.parametrize("decorator", [never_cache, cache_control(no_store=True)])
def test_a_viewset_whose_answers_nobody_may_store_is_a_warning(decorator):
    around = decorator(PersonViewSet.as_view({"get": "retrieve"}))

    @method_decorator(decorator, name="dispatch")
    class OfDispatch(PersonViewSet):
        pass

    @method_decorator(decorator, name="retrieve")
    class OfRetrieve(PersonViewSet):
        pass

    for view in (around, OfDispatch, OfRetrieve):
        (message,) = found(path("<int:pk>/", view)) if view is around else routed(view)
        assert message.id == "etag_versioning.W211"
        assert "has tags, and never_cache or no_store" in message.msg


def test_cache_control_that_lets_clients_store_is_no_warning():
    view = cache_control(private=True, no_cache=True)(PersonViewSet.as_view({"get": "retrieve"}))
    assert found(path("<int:pk>/", view)) == []
