"""django-mptt: nodes are moved by their parent; the numbers of the tree are no part of a state."""

import pytest
from django.db import models, transaction
from django.urls import include, path
from mptt.managers import TreeManager
from mptt.models import MPTTModel, TreeForeignKey
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel, versioned_manager
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Genre(VersionedModel, MPTTModel):
    # Every node to the right of a new one gets other numbers.
    unversioned_fields = ("lft", "rght", "tree_id", "level")

    name = models.CharField(max_length=50)
    parent = TreeForeignKey("self", models.CASCADE, null=True, related_name="children")


class Topic(MPTTModel, VersionedModel):
    unversioned_fields = ("lft", "rght", "tree_id", "level")

    name = models.CharField(max_length=50)
    parent = TreeForeignKey("self", models.CASCADE, null=True, related_name="children")

    objects = versioned_manager(TreeManager())

    class MPTTMeta:
        order_insertion_by = ["name"]


class GenreSerializer(ModelSerializer):
    class Meta:
        model = Genre
        fields = ("id", "name", "parent")


class GenreViewSet(VersionedModelViewSet):
    queryset = Genre.objects.all()
    serializer_class = GenreSerializer


router = SimpleRouter()
router.register("genres", GenreViewSet)
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize("model", [Genre, Topic])


@both_orders
def test_a_new_node_leaves_the_versions_of_the_others(model):
    root = model.objects.create(name="root")
    model.objects.create(name="first", parent=root)
    model.objects.create(name="second", parent=root)
    assert set(model.objects.values_list("version", flat=True)) == {1}


@both_orders
def test_a_node_and_its_parent_can_be_saved_after_a_child_was_added(model):
    root = model.objects.create(name="root")
    child = model.objects.create(name="child", parent=root)
    for node in (root, child):
        node.name += " again"
        node.save()
    assert set(model.objects.values_list("version", flat=True)) == {2}
    assert [node.name for node in root.get_descendants()] == ["child again"]


@both_orders
def test_a_save_with_another_parent_moves_the_node_and_bumps_it_once(model):
    root = model.objects.create(name="root")
    target = model.objects.create(name="target")
    node = model.objects.create(name="node", parent=root)
    node.parent = target
    node.save()
    found = model.objects.get(name="node")
    assert (found.get_root(), found.level, found.version) == (target, 1, 2)
    assert dict(model.objects.exclude(name="node").values_list("name", "version")) == {
        "root": 1,
        "target": 1,
    }


@both_orders
def test_move_to_bumps_the_node_once(model):
    root = model.objects.create(name="root")
    node = model.objects.create(name="node")
    node.move_to(root, "first-child")
    found = model.objects.get(name="node")
    assert (found.parent, found.version) == (root, 2)


@both_orders
def test_a_stale_save_raises_and_changes_nothing(model):
    node = model.objects.create(name="one")
    model.objects.filter(pk=node.pk).update(name="two")
    node.name = "three"
    with pytest.raises(StaleWriteError):
        node.save()
    assert model.objects.get().name == "two"


@both_orders
def test_a_stale_move_in_a_transaction_raises_and_keeps_the_tree(model):
    root = model.objects.create(name="root")
    node = model.objects.create(name="node")
    model.objects.filter(pk=node.pk).update(name="new")
    node.parent = model.objects.get(pk=root.pk)
    with pytest.raises(StaleWriteError), transaction.atomic():
        node.save()
    found = model.objects.get(pk=node.pk)
    assert (found.parent, found.level) == (None, 0)


@both_orders
def test_a_node_is_deleted_with_its_descendants_and_the_rest_stays_a_tree(model):
    root = model.objects.create(name="root")
    first = model.objects.create(name="first", parent=root)
    model.objects.create(name="below", parent=first)
    model.objects.create(name="second", parent=root)
    model.objects.get(name="first").delete()
    root.refresh_from_db()
    assert [node.name for node in root.get_descendants()] == ["second"]
    assert set(model.objects.values_list("version", flat=True)) == {1}


@both_orders
def test_a_stale_delete_in_a_transaction_raises_and_keeps_the_tree(model):
    root = model.objects.create(name="root")
    node = model.objects.create(name="node", parent=root)
    model.objects.filter(pk=node.pk).update(name="new")
    with pytest.raises(StaleWriteError), transaction.atomic():
        node.delete()
    root = model.objects.get(name="root")
    assert [child.name for child in root.get_descendants()] == ["new"]


def test_rebuild_leaves_the_versions():
    root = Genre.objects.create(name="root")
    Genre.objects.create(name="child", parent=root)
    Genre.objects.rebuild()
    assert set(Genre.objects.values_list("version", flat=True)) == {1}


def test_a_guarded_patch_moves_a_node_and_a_stale_one_is_412():
    root, other = Genre.objects.create(name="root"), Genre.objects.create(name="other")
    node = Genre.objects.create(name="node")
    client, address = APIClient(), f"/genres/{node.pk}/"
    tag = client.get(address)["ETag"]
    first = client.patch(address, {"parent": root.pk}, headers={"if-match": tag})
    second = client.patch(address, {"parent": other.pk}, headers={"if-match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    found = Genre.objects.get(name="node")
    assert (found.parent, found.version) == (root, 2)
    assert [child.name for child in Genre.objects.get(name="other").get_descendants()] == []
