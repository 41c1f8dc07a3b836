"""What changes the fingerprint of a serializer, and what does not."""

from concurrent.futures import ThreadPoolExecutor

from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.rest_framework.fingerprint import fingerprint
from tests.rest_framework.read_views import LineRenderer
from tests.rest_framework.views import (
    HiddenSerializer,
    OwnHooksViewSet,
    PersonSerializer,
    PersonViewSet,
)


def test_differs_between_serializers():
    assert fingerprint(PersonSerializer) != fingerprint(HiddenSerializer)
    assert len(fingerprint(PersonSerializer)) == 24


def test_differs_where_a_nested_serializer_or_a_base_class_does():
    class Plain(serializers.Serializer):
        nested = serializers.CharField()

    class NestedA(serializers.Serializer):
        first = serializers.CharField()

    class NestedB(serializers.Serializer):
        second = serializers.CharField()

    def outer(nested):
        class Outer(serializers.Serializer):
            inner = nested

        return Outer

    found = {fingerprint(outer(nested)) for nested in (NestedA(), NestedB(), NestedA(many=True))}
    assert len(found) == 3

    class Base(serializers.Serializer):
        pass

    def child(base):
        return type("Child", (base,), {})

    assert fingerprint(child(Base)) != fingerprint(child(Plain))


def test_differs_where_code_without_source_does():
    namespaces = []
    for name in ("first", "second"):
        namespace = {"__name__": "made", "serializers": serializers}
        exec(
            "class Made(serializers.Serializer):\n"
            "    text = serializers.SerializerMethodField()\n"
            f"    def get_text(self, instance):\n        return instance.{name}\n",
            namespace,
        )
        namespaces.append(namespace)
    first, second = (fingerprint(namespace["Made"]) for namespace in namespaces)
    assert first != second


def test_differs_between_views_and_renderers():
    found = {
        fingerprint(PersonSerializer),
        fingerprint(PersonSerializer, PersonViewSet),
        fingerprint(PersonSerializer, OwnHooksViewSet),
        fingerprint(PersonSerializer, PersonViewSet, JSONRenderer),
        fingerprint(PersonSerializer, PersonViewSet, LineRenderer),
    }
    assert len(found) == 5


def test_differs_between_versions_of_the_package(monkeypatch):
    before = fingerprint(PersonSerializer)
    monkeypatch.setattr("etag_versioning.code.environment.__version__", "another")
    assert fingerprint(PersonSerializer) != before


def test_the_fingerprint_of_a_class_is_the_same_in_all_threads():
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda _: fingerprint(PersonViewSet, PersonSerializer), range(16)))
        assert len(found) == 1
