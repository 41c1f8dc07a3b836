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


class MendedBuildingManager(VersionedManager):
    def get_queryset(self):
        return super().get_queryset()


class MendedOwnQuerySet(VersionedQuerySet, OwnQuerySet):
    pass


class MendedBuildingOwnManager(models.Manager):
    def get_queryset(self):
        return MendedOwnQuerySet(self.model, using=self._db)


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
    assert message.hint == 'unversioned_managers = ("objects",); what it can name: objects.'


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


class MendedOwnManager(VersionedManager):
    pass


class MendedScopingManager(VersionedManager):
    def get_queryset(self):
        return super().get_queryset().filter(pk__gt=0)


@pytest.mark.parametrize(
    ("manager", "mended"),
    [(OwnManager, MendedOwnManager), (ScopingManager, MendedScopingManager)],
)
def test_the_hint_for_a_manager_class_of_the_project_is_another_base(found, manager, mended):
    make("Page", VersionedModel, objects=manager())
    (message,) = found()
    assert message.hint == f"class {manager.__name__}(VersionedManager): …"
    make("Mended", VersionedModel, objects=mended())
    assert len(found()) == 1


class SearchMixin:
    pass


class MixedManager(SearchMixin, models.Manager):
    pass


class MendedMixedManager(SearchMixin, VersionedManager):
    pass


def test_the_hint_for_a_manager_class_with_a_mixin_leaves_the_mixin_in_its_place(found):
    make("Page", VersionedModel, objects=MixedManager())
    (message,) = found()
    assert message.hint == "class MixedManager(SearchMixin, VersionedManager): …"
    make("Mended", VersionedModel, objects=MendedMixedManager())
    assert len(found()) == 1


class AdminManager(UserManager):
    def get_queryset(self):
        return super().get_queryset().filter(is_staff=True)


class MendedAdminManager(VersionedManager, UserManager):
    def get_queryset(self):
        return super().get_queryset().filter(is_staff=True)


def test_the_hint_for_a_manager_class_below_one_of_another_app_puts_ours_first(found):
    make("User", VersionedModel, AbstractBaseUser, objects=AdminManager())
    (message,) = found()
    assert message.hint == "class AdminManager(VersionedManager, UserManager): …"
    mended = make("Mended", VersionedModel, AbstractBaseUser, objects=MendedAdminManager())
    assert mended.objects.create_user
    assert len(found()) == 1


def test_one_manager_class_in_many_models_is_one_warning(found):
    make("Page", VersionedModel, public=ScopingManager())
    make("News", VersionedModel, public=ScopingManager())
    (message,) = found()
    assert message.msg.startswith("testapp.Page.public, testapp.News.public make querysets")


def test_a_manager_class_is_silenced_for_one_model_alone(found):
    make("Page", VersionedModel, public=ScopingManager(), unversioned_managers=("public",))
    news = make("News", VersionedModel, public=ScopingManager())
    (message,) = found()
    assert (message.obj, "Page" in message.msg) == (news, False)


def test_the_hint_for_a_plain_manager_of_a_versioned_base_is_to_delete_its_line(found):
    base = type(
        "Base",
        (VersionedModel,),
        {
            "objects": models.Manager(),
            "Meta": type("Meta", (), {"abstract": True}),
            "__module__": __name__,
        },
    )
    make("Page", base)
    make("News", base)
    (message,) = found()
    assert message.hint.startswith('Delete the line "objects = models.Manager()" in Base')
    meta = type("Meta", (), {"abstract": True})
    mended = type("Mended", (VersionedModel,), {"Meta": meta, "__module__": __name__})
    make("MendedPage", mended)
    assert len(found()) == 1


@pytest.mark.parametrize(
    ("manager", "mended"),
    [
        (BuildingOwnManager(), MendedBuildingOwnManager()),
        (SearchableQuerySet.as_manager(), MendedOwnQuerySet.as_manager()),
    ],
)
def test_the_hint_for_a_queryset_class_of_the_project_is_its_bases(found, manager, mended):
    make("Page", VersionedModel, objects=manager)
    (message,) = found()
    assert message.hint == "class SearchableQuerySet(VersionedQuerySet, OwnQuerySet): …"
    make("Mended", VersionedModel, objects=mended)
    assert len(found()) == 1


def test_the_hint_for_a_get_queryset_that_builds_a_plain_queryset_is_to_call_super(found):
    make("Page", VersionedModel, objects=BuildingManager())
    (message,) = found()
    assert message.hint == (
        "In BuildingManager.get_queryset(), write super().get_queryset() in place of "
        "QuerySet(…); and class BuildingManager(VersionedManager): …"
    )
    make("Mended", VersionedModel, objects=MendedBuildingManager())
    assert len(found()) == 1


def test_the_hint_for_a_queryset_class_of_another_distribution_is_a_class_of_both(found):
    foreign = type("TreeQuerySet", (models.QuerySet,), {"__module__": "treepackage.models"})
    make("Page", VersionedModel, objects=foreign.as_manager())
    (message,) = found()
    assert message.hint == (
        "class VersionedTreeQuerySet(VersionedQuerySet, TreeQuerySet): pass; "
        "objects = Manager.from_queryset(VersionedTreeQuerySet)()"
    )
    mended = type("Mended", (VersionedQuerySet, foreign), {"__module__": __name__})
    make("Mended", VersionedModel, objects=models.Manager.from_queryset(mended)())
    assert len(found()) == 1


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


def test_the_hint_for_a_base_manager_is_to_delete_its_name(found):
    meta = type("Meta", (), {"app_label": "testapp", "base_manager_name": "plain"})
    attributes = {"plain": models.Manager(), "unversioned_managers": ("plain",)}
    type("Page", (VersionedModel,), {"Meta": meta, "__module__": __name__, **attributes})
    (message,) = found()
    assert message.id == "etag_versioning.W002"
    assert message.hint.startswith('Delete base_manager_name = "plain" from its Meta')
    make("Mended", VersionedModel, plain=models.Manager(), unversioned_managers=("plain",))
    assert len(found()) == 1
