"""Managers and base managers that other apps bring, in either order of bases."""

import pickle

import pytest
from django.contrib.auth.models import UserManager
from django.db import connection, models
from django.db.migrations.state import ModelState
from django.db.migrations.writer import MigrationWriter
from django.db.models.options import Options
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils.functional import cached_property

from etag_versioning.models import (
    VersionedManager,
    VersionedModel,
    VersionedQuerySet,
    versioned_manager,
)

pytestmark = pytest.mark.django_db


class Owner(models.Model):
    class Meta:
        app_label = "testapp"


class Owned(models.Model):
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True)

    class Meta:
        abstract = True


class DowncastQuerySet(models.QuerySet):
    """As polymorphic models have it: rows are instances of their child class."""

    def _fetch_all(self):
        super()._fetch_all()
        self.downcast = True


class DowncastManager(models.Manager):
    def get_queryset(self):
        return DowncastQuerySet(self.model, using=self._db)

    def ready_made(self):
        return self.create()


class Downcasting(models.Model):
    objects = DowncastManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


class DowncastAfter(VersionedModel, Downcasting, Owned):
    class Meta:
        app_label = "testapp"


class DowncastChild(DowncastAfter):
    size = models.IntegerField(default=0)

    class Meta:
        app_label = "testapp"


class DowncastBefore(Downcasting, VersionedModel, Owned):
    objects = versioned_manager(DowncastManager())

    class Meta(Downcasting.Meta):
        app_label = "testapp"


class LiveManager(VersionedManager):
    def get_queryset(self):
        return super().get_queryset().filter(gone=False)


class Filtered(VersionedModel, Owned):
    """Its one manager leaves rows out."""

    gone = models.BooleanField(default=False)

    objects = LiveManager()

    class Meta:
        app_label = "testapp"


class FirstManager(VersionedManager):
    pass


class WithDefault(VersionedModel, Downcasting):
    first = FirstManager()

    class Meta:
        app_label = "testapp"


def bump_by_set_null(model):
    owner = Owner.objects.create()
    row = model._base_manager.create(owner=owner)
    owner.delete()
    return model._base_manager.get(pk=row.pk)


class TestLaterBase:
    """``class Doc(VersionedModel, OtherApps)``: the other app's manager is not hidden."""

    def test_its_manager_has_its_methods_and_its_querysets_bump(self):
        row = DowncastAfter.objects.ready_made()
        DowncastAfter.objects.update(owner=None)
        rows = DowncastAfter.objects.all()
        assert rows.get().version == 2
        assert isinstance(rows, DowncastQuerySet)
        assert DowncastAfter.objects.expect(version=2).update(owner=None) == 1
        assert DowncastAfter.objects.unversioned().update(owner=None) == 1
        assert DowncastAfter.objects.get(pk=row.pk).version == 3

    def test_its_base_manager_is_used_for_related_rows(self):
        assert type(DowncastAfter._base_manager) is type(DowncastAfter.objects)
        assert isinstance(DowncastAfter._base_manager, DowncastManager)
        assert isinstance(DowncastChild._base_manager, DowncastManager)

    def test_its_querysets_can_be_pickled(self):
        DowncastAfter.objects.create()
        rows = pickle.loads(pickle.dumps(DowncastAfter.objects.all()))
        assert (len(rows), type(rows)) == (1, type(DowncastAfter.objects.all()))

    def test_another_manager_that_is_the_default_stays_the_default(self):
        assert WithDefault._default_manager.name == "first"
        assert isinstance(WithDefault.objects, DowncastManager)

    @isolate_apps("tests.testapp")
    def test_create_user_is_there_and_migrations_name_the_other_apps_manager(self):
        class AbstractUser(models.Model):
            objects = UserManager()

            class Meta:
                abstract = True

        class User(VersionedModel, AbstractUser):
            class Meta:
                app_label = "testapp"

        assert User.objects.create_user
        assert isinstance(User.objects.all(), VersionedQuerySet)
        ((name, manager),) = ModelState.from_model(User).managers
        text, imports = MigrationWriter.serialize(manager)
        assert (name, text) == ("objects", "django.contrib.auth.models.UserManager()")
        assert imports == {"import django.contrib.auth.models"}

    @isolate_apps("tests.testapp")
    def test_a_manager_of_the_model_s_own_is_the_model_s_objects(self):
        class Page(VersionedModel, Downcasting):
            objects = VersionedManager()

            class Meta:
                app_label = "testapp"

        assert type(Page.objects) is VersionedManager


@pytest.mark.parametrize("model", [DowncastAfter, DowncastChild, DowncastBefore, Filtered])
def test_set_null_bumps_the_rows_of_any_base_manager(model):
    assert bump_by_set_null(model).version == 2


@pytest.mark.parametrize("model", [DowncastAfter, DowncastBefore, Filtered])
def test_a_related_managers_add_bumps(model):
    owner, row = Owner.objects.create(), model._base_manager.create()
    getattr(owner, f"{model.__name__.lower()}_set").add(row)
    assert model._base_manager.get(pk=row.pk).version == 2


def test_a_base_manager_leaves_out_no_row():
    row = Filtered.objects.create()
    row.gone = True
    row.save()
    row.save()
    row.refresh_from_db()
    assert row.version == 3


class AddingQuerySet(VersionedQuerySet):
    def recent(self):
        return self.order_by("-pk")


class ChangingQuerySet(VersionedQuerySet):
    def filter(self, *args, **kwargs):
        return super().filter(*args, **kwargs).exclude(pk=0)


@isolate_apps("tests.testapp")
@pytest.mark.parametrize(
    ("manager", "base"),
    [
        (VersionedManager(), "objects"),
        (AddingQuerySet.as_manager(), "objects"),
        (versioned_manager(UserManager()), "objects"),
        (ChangingQuerySet.as_manager(), "_versioned_rows"),
        (LiveManager(), "_versioned_rows"),
    ],
)
def test_a_manager_is_the_base_manager_if_it_changes_nothing_of_djangos(manager, base):
    class Page(VersionedModel):
        objects = manager

        class Meta:
            app_label = "testapp"

    assert Page._base_manager.name == base
    assert isinstance(Page._base_manager.all(), VersionedQuerySet)


class TranslatingQuerySet(models.QuerySet):
    def update(self, **kwargs):
        return super().update(**kwargs)


class TranslatingOptions(Options):
    """As django-modeltranslation has it: it replaces the class of ``_meta``."""

    @cached_property
    def base_manager(self):
        manager = super().base_manager
        kind = type(manager)

        class TranslatingManager(kind):
            def get_queryset(self):
                rows = super().get_queryset()
                rows.__class__ = type("Both", (type(rows), TranslatingQuerySet), {})
                return rows

        manager.__class__ = TranslatingManager
        return manager


class Translated(VersionedModel, Owned):
    class Meta:
        app_label = "testapp"


def test_set_null_bumps_when_another_app_has_replaced_the_options():
    Translated._meta.__class__ = TranslatingOptions
    Translated._meta._expire_cache()
    assert bump_by_set_null(Translated).version == 2


def test_the_options_and_the_managers_of_a_model_are_djangos_own_classes():
    assert type(Filtered._meta) is Options
    assert type(Filtered._base_manager) is VersionedManager


@isolate_apps("tests.testapp")
def test_no_migration_names_a_base_manager():
    class Page(VersionedModel):
        class Meta:
            app_label = "testapp"

    state = ModelState.from_model(Page)
    assert "base_manager_name" not in state.options
    assert state.managers == []


@isolate_apps("tests.testapp")
def test_a_base_manager_name_of_the_project_stays():
    class Page(VersionedModel):
        everything = models.Manager()

        class Meta:
            app_label = "testapp"
            base_manager_name = "everything"

    assert Page._base_manager.name == "everything"


def test_set_null_takes_one_statement_for_each_relation():
    owner = Owner.objects.create()
    Filtered.objects.create(owner=owner)
    relations = len(Owner._meta.related_objects)
    with CaptureQueriesContext(connection) as queries:
        owner.delete()
    statements = [each["sql"].split()[0] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert statements == ["UPDATE"] * relations + ["DELETE"]
