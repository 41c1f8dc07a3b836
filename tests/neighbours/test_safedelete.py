"""django-safedelete: ``delete()`` hides the row, and ``undelete()`` shows it again."""

import pytest
from django.db import models
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient
from safedelete.config import HARD_DELETE, SOFT_DELETE_CASCADE
from safedelete.managers import SafeDeleteAllManager, SafeDeleteDeletedManager, SafeDeleteManager
from safedelete.models import SafeDeleteModel
from safedelete.queryset import SafeDeleteQueryset

from etag_versioning.checks.managers import check_managers
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel, VersionedQuerySet, versioned_manager
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Managers(models.Model):
    objects = versioned_manager(SafeDeleteManager())
    all_objects = versioned_manager(SafeDeleteAllManager())
    deleted_objects = versioned_manager(SafeDeleteDeletedManager())

    class Meta:
        abstract = True


class Page(Managers, VersionedModel, SafeDeleteModel):
    title = models.CharField(max_length=50)


class Report(Managers, SafeDeleteModel, VersionedModel):
    title = models.CharField(max_length=50)


class Folder(Managers, VersionedModel, SafeDeleteModel):
    """Hides its documents together with itself."""

    _safedelete_policy = SOFT_DELETE_CASCADE

    title = models.CharField(max_length=50)


class Document(Managers, VersionedModel, SafeDeleteModel):
    touches = ("folder",)

    folder = models.ForeignKey(Folder, models.CASCADE)
    title = models.CharField(max_length=50)


class Memo(VersionedModel, SafeDeleteModel):
    """Has the managers as they come."""

    title = models.CharField(max_length=50)


class VersionedSafeDeleteQueryset(VersionedQuerySet, SafeDeleteQueryset):
    """As the hint of W001 says."""


class PageSerializer(ModelSerializer):
    class Meta:
        model = Page
        fields = ("id", "title")


class PageViewSet(VersionedModelViewSet):
    queryset = Page.objects.all()
    serializer_class = PageSerializer


router = SimpleRouter()
router.register("pages", PageViewSet)
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize("model", [Page, Report])


@both_orders
def test_delete_hides_the_row_and_bumps_it_once(model):
    row = model.objects.create(title="one")
    row.delete()
    assert not model.objects.filter(pk=row.pk).exists()
    hidden = model.deleted_objects.get(pk=row.pk)
    assert (hidden.version, hidden.updated_at) == (2, row.updated_at)


@both_orders
def test_a_stale_delete_hides_nothing(model):
    row = model.objects.create(title="one")
    model.objects.filter(pk=row.pk).update(title="two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert model.objects.get(pk=row.pk).version == 2


def test_a_stale_delete_leaves_the_instance_visible_where_our_base_comes_first():
    row = Page.objects.create(title="one")
    Page.objects.filter(pk=row.pk).update(title="two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert row.deleted is None


@both_orders
def test_a_stale_save_raises_and_changes_nothing(model):
    row = model.objects.create(title="one")
    model.objects.filter(pk=row.pk).update(title="two")
    row.title = "three"
    with pytest.raises(StaleWriteError):
        row.save()
    assert model.objects.get(pk=row.pk).title == "two"


@both_orders
def test_undelete_shows_the_row_again_and_bumps_it_once(model):
    row = model.objects.create(title="one")
    row.delete()
    model.deleted_objects.get(pk=row.pk).undelete()
    assert model.objects.get(pk=row.pk).version == 3


@both_orders
def test_a_hard_delete_removes_the_row(model):
    row = model.objects.create(title="one")
    row.delete(force_policy=HARD_DELETE)
    assert not model.all_objects.exists()


@both_orders
def test_a_stale_hard_delete_raises_and_removes_nothing(model):
    row = model.objects.create(title="one")
    model.objects.filter(pk=row.pk).update(title="two")
    with pytest.raises(StaleWriteError):
        row.delete(force_policy=HARD_DELETE)
    assert model.objects.get(pk=row.pk).title == "two"


@both_orders
def test_delete_of_a_queryset_hides_its_rows_and_bumps_each_once(model):
    row = model.objects.create(title="one")
    model.objects.filter(title="one").delete()
    assert not model.objects.exists()
    assert model.deleted_objects.get(pk=row.pk).version == 2


@both_orders
def test_update_of_a_queryset_bumps_visible_rows_and_leaves_hidden_ones(model):
    visible = model.objects.create(title="visible")
    hidden = model.objects.create(title="hidden")
    hidden.delete()
    assert model.objects.update(title="new") == 1
    assert model.objects.get(pk=visible.pk).version == 2
    assert model.deleted_objects.get(pk=hidden.pk).title == "hidden"


@both_orders
def test_bulk_update_bumps_each_row_once(model):
    rows = [model.objects.create(title="one"), model.objects.create(title="two")]
    for row in rows:
        row.title = "new"
    assert model.objects.bulk_update(rows, ["title"]) == 2
    assert list(model.objects.values_list("title", "version")) == [("new", 2), ("new", 2)]


@both_orders
def test_a_stale_bulk_update_raises_and_changes_nothing(model):
    row = model.objects.create(title="one")
    model.objects.filter(pk=row.pk).update(title="two")
    row.title = "three"
    with pytest.raises(StaleWriteError):
        model.objects.bulk_update([row], ["title"])
    assert model.objects.get(pk=row.pk).title == "two"


@both_orders
def test_expect_compares_before_a_queryset_is_hidden(model):
    row = model.objects.create(title="one")
    with pytest.raises(StaleWriteError):
        model.objects.filter(pk=row.pk).expect(version=2).delete()
    model.objects.filter(pk=row.pk).expect(version=1).delete()
    assert model.deleted_objects.get(pk=row.pk).version == 2


def test_documents_are_hidden_with_their_folder_and_shown_again_with_it():
    folder = Folder.objects.create(title="one")
    document = Document.objects.create(folder=folder, title="in it")
    folder.refresh_from_db()
    folder.delete()
    assert not Document.objects.exists()
    Folder.deleted_objects.get(pk=folder.pk).undelete()
    assert Document.objects.get(pk=document.pk).version == 3


def test_a_hidden_document_touches_its_folder():
    folder = Folder.objects.create(title="one")
    document = Document.objects.create(folder=folder, title="in it")
    before = Folder.objects.get(pk=folder.pk).version
    document.delete()
    assert Folder.objects.get(pk=folder.pk).version == before + 1


def test_a_guarded_delete_hides_the_row():
    row = Page.objects.create(title="one")
    client = APIClient()
    tag = client.get(f"/pages/{row.pk}/")["ETag"]
    assert client.delete(f"/pages/{row.pk}/", headers={"if-match": tag}).status_code == 204
    assert client.get(f"/pages/{row.pk}/").status_code == 404
    assert Page.deleted_objects.get(pk=row.pk).version == 2


def test_a_delete_with_a_stale_tag_is_412_and_hides_nothing():
    row = Page.objects.create(title="one")
    client = APIClient()
    tag = client.get(f"/pages/{row.pk}/")["ETag"]
    Page.objects.update(title="two")
    assert client.delete(f"/pages/{row.pk}/", headers={"if-match": tag}).status_code == 412
    assert Page.objects.filter(pk=row.pk).exists()


def test_a_get_with_the_current_tag_is_304_until_the_row_is_hidden():
    row = Page.objects.create(title="one")
    client = APIClient()
    tag = client.get(f"/pages/{row.pk}/")["ETag"]
    assert client.get(f"/pages/{row.pk}/", headers={"if-none-match": tag}).status_code == 304
    row.delete()
    assert client.get(f"/pages/{row.pk}/", headers={"if-none-match": tag}).status_code == 404


def test_objects_bump_by_themselves_where_our_base_comes_first_and_a_check_names_the_others():
    memo = Memo.objects.create(title="one")
    Memo.objects.all().delete()
    assert Memo.deleted_objects.get(pk=memo.pk).version == 2
    assert [warning.msg.partition(" ")[0] for warning in check_managers([Memo])] == [
        "test_safedelete.Memo.all_objects",
        "test_safedelete.Memo.deleted_objects",
    ]


def test_the_hint_of_the_check_keeps_the_deletion_of_a_queryset_soft():
    (*_, warning) = check_managers([Memo])
    assert warning.hint == (
        "class VersionedSafeDeleteQueryset(VersionedQuerySet, SafeDeleteQueryset): pass; "
        "deleted_objects = SafeDeleteDeletedManager.from_queryset(VersionedSafeDeleteQueryset)()"
    )
    mended = SafeDeleteManager.from_queryset(VersionedSafeDeleteQueryset)()
    mended.model = Memo
    memo = Memo.objects.create(title="one")
    mended.all().delete()
    assert Memo.deleted_objects.get(pk=memo.pk).version == 2
