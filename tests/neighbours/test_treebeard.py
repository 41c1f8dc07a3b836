"""django-treebeard: nodes are added, moved and deleted, and their rows are bumped."""

import pytest
from django.db import models
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient
from treebeard.al_tree import AL_Node
from treebeard.mp_tree import MP_Node, MP_NodeManager
from treebeard.ns_tree import NS_Node

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel, versioned_manager
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Topic(VersionedModel, MP_Node):
    # A number that treebeard keeps, and no client sees.
    unversioned_fields = ("numchild",)

    name = models.CharField(max_length=50)


class Subject(MP_Node, VersionedModel):
    unversioned_fields = ("numchild",)

    name = models.CharField(max_length=50)

    objects = versioned_manager(MP_NodeManager())


class Place(VersionedModel, NS_Node):
    # Every node to the right of a new one gets other numbers.
    unversioned_fields = ("lft", "rgt", "tree_id", "depth")

    name = models.CharField(max_length=50)


class Employee(VersionedModel, AL_Node):
    unversioned_fields = ("sib_order",)

    name = models.CharField(max_length=50)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children_set")
    sib_order = models.PositiveIntegerField()


class TopicSerializer(ModelSerializer):
    class Meta:
        model = Topic
        fields = ("id", "name")


class TopicViewSet(VersionedModelViewSet):
    queryset = Topic.objects.all()
    serializer_class = TopicSerializer


router = SimpleRouter()
router.register("topics", TopicViewSet)
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize("model", [Topic, Subject])
all_kinds = pytest.mark.parametrize("model", [Topic, Subject, Place, Employee])


@all_kinds
def test_a_node_and_its_parent_can_be_saved_after_a_child_was_added(model):
    root = model.objects.add_root({"name": "root"})
    child = model.objects.add_child(root, {"name": "child"})
    for node in (root, child):
        node.name += " again"
        node.save()
    assert sorted(model.objects.values_list("name", "version")) == [
        ("child again", 2),
        ("root again", 2),
    ]


@all_kinds
def test_a_stale_save_raises_and_changes_nothing(model):
    node = model.objects.add_root({"name": "one"})
    model.objects.filter(pk=node.pk).update(name="two")
    node.name = "three"
    with pytest.raises(StaleWriteError):
        node.save()
    assert model.objects.get().name == "two"


@pytest.mark.parametrize("model", [Topic, Place, Employee])
def test_a_stale_delete_raises_and_keeps_the_tree_where_our_base_comes_first(model):
    root = model.objects.add_root({"name": "root"})
    model.objects.add_child(root, {"name": "child"})
    root = model.objects.get(name="root")
    model.objects.filter(pk=root.pk).update(name="new")
    with pytest.raises(StaleWriteError):
        root.delete()
    assert model.objects.count() == 2


def test_treebeards_delete_compares_nothing_where_their_base_comes_first():
    node = Subject.objects.add_root({"name": "one"})
    Subject.objects.filter(pk=node.pk).update(name="two")
    node.delete()
    assert not Subject.objects.exists()


@all_kinds
def test_a_node_is_deleted_with_its_descendants(model):
    root = model.objects.add_root({"name": "root"})
    model.objects.add_child(root, {"name": "child"})
    model.objects.get(name="root").delete()
    assert not model.objects.exists()


@both_orders
def test_a_move_bumps_the_node_and_its_descendants_once(model):
    root = model.objects.add_root({"name": "root"})
    child = model.objects.add_child(root, {"name": "child"})
    model.objects.add_child(child, {"name": "grandchild"})
    target = model.objects.add_root({"name": "target"})
    model.objects.move(model.objects.get(name="child"), target, "last-child")
    assert dict(model.objects.values_list("name", "version")) == {
        "root": 1,
        "target": 1,
        "child": 2,
        "grandchild": 2,
    }
    assert model.objects.get_root(model.objects.get(name="grandchild")) == target


@both_orders
def test_an_instance_from_before_a_move_is_stale(model):
    root = model.objects.add_root({"name": "root"})
    node = model.objects.add_root({"name": "node"})
    model.objects.move(model.objects.get(name="node"), root, "last-child")
    node.name = "new"
    with pytest.raises(StaleWriteError):
        node.save()
    assert model.objects.get_parent(model.objects.get(pk=node.pk)) == root


def test_a_move_in_an_adjacency_list_bumps_the_node_by_its_foreign_key():
    root = Employee.objects.add_root({"name": "root", "sib_order": 1})
    node = Employee.objects.add_root({"name": "node", "sib_order": 2})
    Employee.objects.move(node, root, "first-child")
    found = Employee.objects.get(name="node")
    assert (Employee.objects.get_parent(found), found.version) == (root, 2)


def test_a_move_in_nested_sets_changes_numbers_alone_and_bumps_nothing():
    root, node = Place.objects.add_root({"name": "root"}), Place.objects.add_root({"name": "node"})
    Place.objects.move(node, root, "last-child")
    found = Place.objects.get(name="node")
    assert (Place.objects.get_parent(found), found.version) == (root, 1)


@both_orders
def test_delete_of_a_queryset_removes_descendants_too(model):
    root = model.objects.add_root({"name": "root"})
    model.objects.add_child(root, {"name": "child"})
    model.objects.filter(name="root").delete()
    assert not model.objects.exists()


def test_a_get_with_the_current_tag_is_304_until_the_node_is_moved():
    root, node = Topic.objects.add_root({"name": "root"}), Topic.objects.add_root({"name": "node"})
    client, address = APIClient(), f"/topics/{node.pk}/"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    Topic.objects.move(node, root, "last-child")
    assert client.get(address, headers={"if-none-match": tag}).status_code == 200
    assert client.patch(address, {"name": "new"}, headers={"if-match": tag}).status_code == 412


def test_a_guarded_delete_of_a_node_removes_its_descendants():
    root = Topic.objects.add_root({"name": "root"})
    Topic.objects.add_child(root, {"name": "child"})
    client, address = APIClient(), f"/topics/{root.pk}/"
    tag = client.get(address)["ETag"]
    assert client.delete(address, headers={"if-match": tag}).status_code == 204
    assert not Topic.objects.exists()
