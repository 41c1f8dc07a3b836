"""W009: a version in a child's table does not know of writes of the parent's rows."""

from django.core import checks
from django.db import models

from etag_versioning.models import TouchingMixin, VersionedModel


class Place(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"
        abstract = True


def test_a_version_in_the_child_s_table_is_a_warning(found):
    class Hall(Place):
        class Meta:
            app_label = "testapp"

    class Theatre(VersionedModel, Hall):
        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (message.id, message.level) == ("etag_versioning.W009", checks.WARNING)
    assert message.msg == (
        "testapp.Theatre has its version in its own table, and shows columns of testapp.Hall. "
        "Hall.objects.update() and save() of a Hall do not bump the version."
    )
    assert message.hint.startswith("class Hall(VersionedModel), and class Theatre(Hall), so that")

    class MendedHall(VersionedModel):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class MendedTheatre(MendedHall):
        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_a_version_in_the_parent_s_table_is_no_warning(found):
    class Hall(VersionedModel):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Theatre(Hall):
        seats = models.IntegerField()

        class Meta:
            app_label = "testapp"

    class TheatreProxy(Theatre):
        class Meta:
            app_label = "testapp"
            proxy = True

    assert found() == []


def test_a_parent_without_columns_of_its_own_is_no_warning(found):
    class Node(models.Model):
        class Meta:
            app_label = "testapp"

    class Leaf(VersionedModel, Node):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    assert found() == []


def test_a_child_without_a_version_is_no_warning(found):
    class Hall(Place):
        class Meta:
            app_label = "testapp"

    class Theatre(TouchingMixin, Hall):
        class Meta:
            app_label = "testapp"

    assert found() == []
