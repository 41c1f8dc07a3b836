"""Managers whose querysets bump no version."""

import pytest
from django.contrib.auth.models import AbstractBaseUser, UserManager
from django.core import checks
from django.db import models
from django.db.migrations.state import ModelState
from django.db.migrations.writer import MigrationWriter

from etag_versioning.models import (
    VersionedManager,
    VersionedModel,
    VersionedQuerySet,
    versioned_manager,
)


class OwnQuerySet(models.QuerySet):
    pass


class SearchableQuerySet(OwnQuerySet):
    pass


class OwnManager(models.Manager):
    pass


class ScopingManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(pk__gt=0)


class BuildingManager(models.Manager):
    def get_queryset(self):
        return models.QuerySet(self.model, using=self._db)


class BuildingOwnManager(models.Manager):
    def get_queryset(self):
        return SearchableQuerySet(self.model, using=self._db)


class RequestManager(VersionedManager):
    def get_queryset(self):
        raise RuntimeError("There is no request.")


class VersionedUserManager(UserManager.from_queryset(VersionedQuerySet)):
    pass


def make(name, /, *bases, **attributes):
    meta = type("Meta", (), {"app_label": "testapp"})
    return type(name, bases, {"Meta": meta, "__module__": __name__, **attributes})


def test_a_second_plain_manager_is_a_warning(found):
    page = make("Page", VersionedModel, legacy=models.Manager())
    (message,) = found()
    assert (message.id, message.level, message.obj) == (
        "etag_versioning.W001",
        checks.WARNING,
        page,
    )
    assert "testapp.Page.legacy makes querysets" in message.msg
    assert message.hint == "legacy = VersionedManager()  # from etag_versioning.models"


def test_a_plain_manager_of_an_abstract_base_is_a_warning(found):
    base = type(
        "Base",
        (models.Model,),
        {
            "legacy": models.Manager(),
            "Meta": type("Meta", (), {"abstract": True}),
            "__module__": __name__,
        },
    )
    make("Page", VersionedModel, base)
    (message,) = found()
    assert message.id == "etag_versioning.W001"


def test_unversioned_managers_silence_the_warning_of_one_manager(found):
    make(
        "Page",
        VersionedModel,
        legacy=models.Manager(),
        other=models.Manager(),
        unversioned_managers=("legacy",),
    )
    (message,) = found()
    assert "testapp.Page.other" in message.msg


def test_an_unknown_name_in_unversioned_managers_is_an_error(found):
    make("Page", VersionedModel, unversioned_managers=("legcay",))
    (message,) = found()
    assert message.id == "etag_versioning.E004"
    assert message.hint == "Its managers are: objects."


def test_the_hint_for_a_line_that_replaces_our_manager_is_to_delete_it(found):
    make("Page", VersionedModel, objects=models.Manager())
    (message,) = found()
    assert message.hint.startswith('Delete the line "objects = models.Manager()"')


def test_deleting_the_line_is_no_hint_where_another_base_brings_a_manager(found):
    base = type(
        "Base",
        (models.Model,),
        {
            "objects": models.Manager(),
            "Meta": type("Meta", (), {"abstract": True}),
            "__module__": __name__,
        },
    )
    make("Page", base, VersionedModel, objects=models.Manager())
    (message,) = found()
    assert message.hint == "objects = VersionedManager()  # from etag_versioning.models"


@pytest.mark.parametrize("manager", [OwnManager, ScopingManager])
def test_the_hint_for_a_manager_class_is_from_queryset_where_that_works(found, manager):
    make("Page", VersionedModel, objects=manager())
    (message,) = found()
    assert message.hint == f"objects = {manager.__name__}.from_queryset(VersionedQuerySet)()"
    make("Mended", VersionedModel, objects=manager.from_queryset(VersionedQuerySet)())
    assert len(found()) == 1


@pytest.mark.parametrize("manager", [BuildingOwnManager(), SearchableQuerySet.as_manager()])
def test_the_hint_for_a_queryset_class_of_the_project_is_its_bases(found, manager):
    make("Page", VersionedModel, objects=manager)
    (message,) = found()
    assert message.hint == "class SearchableQuerySet(VersionedQuerySet, OwnQuerySet): …"


def test_the_hint_for_a_get_queryset_that_builds_a_plain_queryset_is_to_call_super(found):
    make("Page", VersionedModel, objects=BuildingManager())
    (message,) = found()
    assert "BuildingManager.get_queryset() return super().get_queryset()" in message.hint


def test_the_hint_for_a_queryset_class_of_another_distribution_is_a_class_of_both(found):
    foreign = type("TreeQuerySet", (models.QuerySet,), {"__module__": "treepackage.models"})
    make("Page", VersionedModel, objects=foreign.as_manager())
    (message,) = found()
    assert message.hint == (
        "class VersionedTreeQuerySet(VersionedQuerySet, TreeQuerySet): pass; "
        "objects = Manager.from_queryset(VersionedTreeQuerySet)()"
    )


@pytest.mark.parametrize("meant", [None, 5])
def test_unversioned_managers_that_are_no_collection_do_not_break_the_check(found, meant):
    make("Page", VersionedModel, legacy=models.Manager(), unversioned_managers=meant)
    assert [message.id for message in found()] == ["etag_versioning.E004", "etag_versioning.W001"]


def test_a_versioned_manager_that_needs_a_request_is_no_warning(found):
    make("Page", VersionedModel, objects=RequestManager())
    assert found() == []


def test_a_child_does_not_repeat_the_warning_of_its_parent(found):
    parent = make("Parent", VersionedModel, legacy=models.Manager())
    make("Child", parent)
    (message,) = found()
    assert message.obj is parent


def test_the_hint_for_another_apps_get_queryset_that_builds_its_own_is_versioned_manager(found):
    rows = type("TreeQuerySet", (models.QuerySet,), {"__module__": "treepackage.models"})
    manager = type(
        "TreeManager",
        (models.Manager,),
        {
            "get_queryset": lambda self: rows(self.model).order_by("pk"),
            "__module__": "treepackage.models",
        },
    )
    make("Page", VersionedModel, objects=manager())
    (message,) = found()
    assert message.hint == (
        "objects = versioned_manager(TreeManager())  # from etag_versioning.models"
    )
    mended = make("Mended", VersionedModel, objects=versioned_manager(manager()))
    assert len(found()) == 1
    assert isinstance(mended.objects.all(), rows)


def test_a_manager_of_a_later_base_is_shared_and_no_warning(found):
    base = type(
        "AbstractUser",
        (AbstractBaseUser,),
        {
            "objects": UserManager(),
            "Meta": type("Meta", (), {"abstract": True}),
            "__module__": __name__,
        },
    )
    user = make("User", VersionedModel, base)
    assert user.objects.create_user
    assert isinstance(user.objects.all(), VersionedQuerySet)
    assert found() == []


def test_a_manager_of_a_later_base_keeps_its_queryset_class(found):
    base = type(
        "Base",
        (models.Model,),
        {
            "objects": OwnManager.from_queryset(OwnQuerySet)(),
            "Meta": type("Meta", (), {"abstract": True}),
            "__module__": __name__,
        },
    )
    page = make("Page", VersionedModel, base)
    assert isinstance(page.objects.all(), OwnQuerySet)
    assert isinstance(page.objects.all(), VersionedQuerySet)
    assert found() == []


def test_the_hint_for_a_manager_that_migrations_import_can_be_written_into_one(found):
    user = make("User", VersionedModel, AbstractBaseUser, objects=VersionedUserManager())
    assert found() == []
    ((_, manager),) = ModelState.from_model(user).managers
    assert "VersionedUserManager()" in MigrationWriter.serialize(manager)[0]


def test_a_manager_of_the_model_s_own_hides_nothing(found):
    base = type(
        "Base",
        (models.Model,),
        {
            "objects": OwnManager(),
            "Meta": type("Meta", (), {"abstract": True}),
            "__module__": __name__,
        },
    )
    make("Page", VersionedModel, base, objects=VersionedManager())
    assert found() == []
