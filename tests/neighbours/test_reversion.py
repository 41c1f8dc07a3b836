"""django-reversion: revisions hold rows as they were, and put them back as a new state."""

from datetime import timedelta

import pytest
import reversion
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient
from reversion.admin import VersionAdmin
from reversion.models import Version
from reversion.views import RevisionMixin

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Page(VersionedModel):
    title = models.CharField(max_length=50)


@reversion.register(follow=("page",))
class Comment(VersionedModel):
    touches = ("page",)

    page = models.ForeignKey(Page, models.CASCADE)
    text = models.CharField(max_length=50)


@admin.register(Page)
class PageAdmin(VersionAdmin):
    fields = ("title",)


class PageSerializer(ModelSerializer):
    class Meta:
        model = Page
        fields = ("id", "title")


class PageViewSet(RevisionMixin, VersionedModelViewSet):
    queryset = Page.objects.all()
    serializer_class = PageSerializer


router = SimpleRouter()
router.register("pages", PageViewSet)
urlpatterns = [path("", include(router.urls))]


def write(title):
    with reversion.create_revision():
        page = Page.objects.first() or Page()
        page.title = title
        page.save()
    return page


def test_a_revision_holds_the_version_of_the_row_and_its_timestamp_to_the_millisecond():
    page = write("one")
    page = write("two")
    stored = Version.objects.get_for_object(page)[0].field_dict
    found = Page.objects.get()
    assert stored["version"] == found.version
    assert abs(stored["updated_at"] - found.updated_at) < timedelta(milliseconds=1)


def test_a_stale_save_rolls_its_revision_back():
    page = write("one")
    Page.objects.update(title="two")
    page.title = "three"
    with pytest.raises(StaleWriteError), reversion.create_revision():
        page.save()
    assert Version.objects.get_for_object(page).count() == 1
    assert Page.objects.get().title == "two"


def test_revert_writes_old_values_as_a_new_state():
    write("one")
    page = write("two")
    before = Page.objects.get()
    Version.objects.get_for_object(page)[1].revision.revert()
    found = Page.objects.get()
    assert (found.title, found.version) == ("one", 3)
    assert found.updated_at > before.updated_at


def test_an_instance_from_before_a_revert_is_stale():
    write("one")
    page = write("two")
    Version.objects.get_for_object(page)[1].revision.revert()
    page.title = "three"
    with pytest.raises(StaleWriteError):
        page.save()


def test_a_recovered_row_has_the_state_of_its_revision_and_later_ones_never_repeat():
    page = write("one")
    page.save()
    used = page.version, page.updated_at
    page.delete()
    (version,) = Version.objects.get_deleted(Page)
    version.revision.revert()
    found = Page.objects.get()
    assert (found.title, found.version) == ("one", 1)
    found.save()
    assert found.version == used[0]
    assert found.updated_at > used[1]


def test_a_reverted_comment_touches_its_page():
    page = Page.objects.create(title="one")
    with reversion.create_revision():
        comment = Comment.objects.create(page=page, text="first")
    comment.text = "second"
    comment.save()
    before = Page.objects.get().version
    Version.objects.get_for_object(comment)[0].revert()
    assert Comment.objects.get().text == "first"
    assert Page.objects.get().version > before


@pytest.mark.urls("tests.neighbours.urls")
def test_revert_in_the_admin_writes_the_old_values_as_a_new_state(client):
    client.force_login(User.objects.create_superuser("ada"))
    write("one")
    page = write("two")
    old = Version.objects.get_for_object(page)[1]
    address = f"/admin/test_reversion/page/{page.pk}/history/{old.pk}/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"title": "one"}).status_code == 302
    found = Page.objects.get()
    assert found.title == "one"
    assert found.version > 2


def test_a_look_at_an_old_revision_in_the_admin_changes_no_row(admin_look):
    page = Page.objects.get()
    assert (page.title, page.version, page.updated_at) == ("two", 2, admin_look)


@pytest.fixture
def admin_look(client, settings):
    settings.ROOT_URLCONF = "tests.neighbours.urls"
    client.force_login(User.objects.create_superuser("ada"))
    write("one")
    page = write("two")
    old = Version.objects.get_for_object(page)[1]
    client.get(f"/admin/test_reversion/page/{page.pk}/history/{old.pk}/")
    return page.updated_at


def test_a_guarded_patch_makes_one_revision_and_a_stale_one_makes_none():
    page = write("one")
    client = APIClient()
    tag = client.get(f"/pages/{page.pk}/")["ETag"]
    first = client.patch(f"/pages/{page.pk}/", {"title": "two"}, headers={"if-match": tag})
    second = client.patch(f"/pages/{page.pk}/", {"title": "three"}, headers={"if-match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert Version.objects.get_for_object(page).count() == 2
    assert Page.objects.get().title == "two"
