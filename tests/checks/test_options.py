"""``touches``, ``unversioned_fields`` and ``tag_key`` of a model."""

import pytest
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core import checks
from django.db import models

from etag_versioning.models import TouchingMixin, VersionedModel
from etag_versioning.touching.paths import touches_of
from etag_versioning.touching.receivers import connect


def make(name, /, *bases, **attributes):
    meta = type("Meta", (), {"app_label": "testapp"})
    return type(name, bases, {"Meta": meta, "__module__": __name__, **attributes})


def test_touches_of_a_plain_model_are_an_error(found):
    shown = make("Parent", VersionedModel)

    class Child(models.Model):
        touches = ("parent",)

        parent = models.ForeignKey(shown, models.CASCADE)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (message.id, message.level, message.obj) == ("etag_versioning.E006", checks.ERROR, Child)
    assert "testapp.Child.touches has no effect" in message.msg
    assert "class Child(TouchingMixin)" in message.hint


def test_another_app_s_own_use_of_the_word_touches_is_no_error(found):
    make("Brush", models.Model, touches=("light", "heavy"))
    make("Screen", models.Model, touches=5)
    assert found() == []


def test_a_plain_model_with_a_column_named_touches_is_no_error(found):
    screen = make("Screen", models.Model, touches=models.IntegerField())
    connect([screen])
    assert touches_of(screen) is None
    assert found() == []


@pytest.mark.parametrize(
    "name",
    [
        "touches",
        "unversioned_fields",
        "unversioned_managers",
        "skip_unchanged",
        "stale_writes",
        "tag_key",
    ],
)
def test_a_column_in_the_place_of_an_option_is_an_error(found, name):
    screen = make("Screen", VersionedModel, **{name: models.IntegerField(default=0)})
    connect([screen])
    (message,) = found()
    assert (message.id, message.obj) == ("etag_versioning.E005", screen)
    assert f'testapp.Screen has a field "{name}"' in message.msg
    assert f"db_column='{name}'" in message.hint


def test_an_abstract_base_s_column_that_an_option_drops_is_an_error(found):
    class Touchable(models.Model):
        touches = models.IntegerField(default=0)

        class Meta:
            abstract = True

    screen = make("Screen", VersionedModel, Touchable)
    assert "touches" not in [field.name for field in screen._meta.get_fields()]
    (message,) = found()
    assert (message.id, message.obj) == ("etag_versioning.E005", screen)


def test_a_related_name_in_the_place_of_an_option_is_an_error(found):
    screen = make("Screen", VersionedModel)
    key = models.ForeignKey(screen, models.CASCADE, related_name="touches")
    make("Touch", models.Model, screen=key)
    (message,) = found()
    assert (message.id, message.obj) == ("etag_versioning.E005", screen)
    assert "testapp.Touch.screen" in message.hint


def test_touches_that_hold_no_name_are_an_error(found):
    make("Screen", VersionedModel, touches=(apps,))
    (message,) = found()
    assert message.id == "etag_versioning.E003"
    make("Other", VersionedModel, touches=None)
    assert [message.id for message in found()] == ["etag_versioning.E003"] * 2


def test_touches_of_a_model_that_does_not_exist_do_not_break_the_start(found):
    key = models.ForeignKey("testapp.Nowhere", models.CASCADE)
    child = make("Child", TouchingMixin, parent=key, touches=("parent",))
    connect([child])
    (message,) = found()
    assert message.id == "etag_versioning.E003"


def test_unversioned_fields_that_are_a_string_are_an_error(found):
    user = make("User", VersionedModel, name=models.TextField(), unversioned_fields=("name"))
    (message,) = found()
    assert (message.id, message.level, message.obj) == ("etag_versioning.E004", checks.ERROR, user)
    assert "testapp.User.unversioned_fields is a string" in message.msg
    assert 'unversioned_fields = ("name",)' in message.hint


def test_unversioned_fields_with_a_typo_are_an_error(found):
    make("User", VersionedModel, name=models.TextField(), unversioned_fields=("nmae",))
    (message,) = found()
    assert message.id == "etag_versioning.E004"
    assert 'names "nmae"' in message.msg
    assert message.hint == 'unversioned_fields = ("name",); what it can name: name.'


def test_unversioned_fields_may_name_the_column_of_a_foreign_key(found):
    team = make("Team", VersionedModel)
    key = models.ForeignKey(team, models.CASCADE)
    make("User", VersionedModel, viewer=key, unversioned_fields=["viewer_id"])
    assert found() == []


@pytest.mark.parametrize("name", ["id", "version", "updated_at", "pk"])
def test_keys_and_state_cannot_be_unversioned(found, name):
    make("User", VersionedModel, unversioned_fields=(name,))
    (message,) = found()
    assert message.id == "etag_versioning.E004"


def test_unversioned_fields_that_are_no_collection_are_an_error(found):
    make("User", VersionedModel, unversioned_fields=None)
    (message,) = found()
    assert message.id == "etag_versioning.E004"


def test_foreign_keys_and_many_to_many_fields_can_be_unversioned(found):
    team = make("Team", VersionedModel)
    make(
        "User",
        VersionedModel,
        team=models.ForeignKey(team, models.CASCADE),
        teams=models.ManyToManyField(team, related_name="+"),
        unversioned_fields={"team", "teams"},
    )
    assert found() == []


def test_the_hint_for_unversioned_fields_names_many_to_many_fields(found):
    team = make("Team", VersionedModel)
    teams = models.ManyToManyField(team, related_name="+")
    make("User", VersionedModel, teams=teams, unversioned_fields=("team",))
    (message,) = found()
    assert message.hint == 'unversioned_fields = ("teams",); what it can name: teams.'


def test_a_tag_key_with_a_typo_is_an_error(found):
    make("User", VersionedModel, uuid=models.UUIDField(), tag_key="uid")
    (message,) = found()
    assert message.id == "etag_versioning.E004"
    assert 'tag_key names "uid"' in message.msg
    assert "uuid" in message.hint


def test_a_tag_key_of_a_related_row_is_no_error(found):
    team = make("Team", VersionedModel, uuid=models.UUIDField())
    make("User", VersionedModel, team=models.ForeignKey(team, models.CASCADE), tag_key="team__uuid")
    assert found() == []


def linked(**through):
    team = make("Team", VersionedModel)
    users = make(
        "User",
        VersionedModel,
        teams=models.ManyToManyField(team, through="testapp.Membership"),
    )
    base = TouchingMixin if through else models.Model
    make(
        "Membership",
        base,
        user=models.ForeignKey(users, models.CASCADE),
        team=models.ForeignKey(team, models.CASCADE),
        **through,
    )
    return users


def test_a_through_model_that_does_not_touch_the_row_that_declares_the_field_is_a_warning(found):
    user = linked()
    (message,) = found()
    assert (message.id, message.level, message.obj) == (
        "etag_versioning.W006",
        checks.WARNING,
        user,
    )
    assert "testapp.User.teams has its links in testapp.Membership" in message.msg
    assert 'class Membership(TouchingMixin): touches = ("user",)' in message.hint


def test_a_through_model_that_touches_another_row_alone_is_a_warning(found):
    linked(touches=("team",))
    (message,) = found()
    assert message.id == "etag_versioning.W006"


def test_a_through_model_that_touches_the_row_is_no_warning(found):
    linked(touches=("user",))
    assert found() == []


class Note(TouchingMixin):
    touches = ("content_object",)

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.IntegerField()
    content_object = GenericForeignKey()

    class Meta:
        app_label = "testapp"
        abstract = True


def test_touches_by_a_generic_foreign_key_are_no_error(found):
    class PageNote(Note):
        class Meta:
            app_label = "testapp"

    assert found() == []


def test_a_generic_foreign_key_within_a_path_is_an_error_whose_hint_is_the_way_back(found):
    class PageNote(Note):
        class Meta:
            app_label = "testapp"

    class Picture(TouchingMixin):
        touches = ("note__content_object",)

        note = models.ForeignKey(PageNote, models.CASCADE, related_name="pictures")

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.id == "etag_versioning.E003"
    assert message.hint == (
        'touches = ("note__page",), and in the model Page that it shows up in: '
        'pagenotes = GenericRelation(PageNote, related_query_name="page").'
    )

    class Page(VersionedModel):
        pagenotes = GenericRelation(PageNote, related_query_name="page")

        class Meta:
            app_label = "testapp"

    class Mended(TouchingMixin):
        touches = ("note__page",)

        note = models.ForeignKey(PageNote, models.CASCADE, related_name="+")

        class Meta:
            app_label = "testapp"

    assert found() == [message]


def test_touches_by_the_name_of_a_generic_relation_are_no_error(found):
    class Note(TouchingMixin):
        touches = ("page",)

        content_type = models.ForeignKey(ContentType, models.CASCADE)
        object_id = models.IntegerField()
        content_object = GenericForeignKey()

        class Meta:
            app_label = "testapp"

    class Page(VersionedModel):
        notes = GenericRelation(Note, related_query_name="page")

        class Meta:
            app_label = "testapp"

    assert found() == []


def test_the_hint_for_a_generic_foreign_key_names_its_own_columns(found):
    class Sketch(TouchingMixin):
        kind = models.ForeignKey(ContentType, models.CASCADE)
        key = models.IntegerField()
        subject = GenericForeignKey("kind", "key")

        class Meta:
            app_label = "testapp"

    class Line(TouchingMixin):
        touches = ("sketch__subject",)

        sketch = models.ForeignKey(Sketch, models.CASCADE)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (
        'GenericRelation(Sketch, related_query_name="page", '
        'content_type_field="kind", object_id_field="key")'
    ) in message.hint


@pytest.mark.parametrize("name", ["title", "subject", "house", "objects", "tags__name"])
def test_touches_by_what_is_no_relation_are_an_error(found, name):
    class Tag(models.Model):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Page(VersionedModel):
        touches = (name,)

        title = models.CharField(max_length=50)
        tags = models.ManyToManyField(Tag)

        @property
        def house(self):
            return self

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.id == "etag_versioning.E003"


def test_an_unknown_mode_of_stale_writes_is_an_error(found):
    screen = make("Screen", VersionedModel, stale_writes="warn")
    (message,) = found()
    assert (message.id, message.obj) == ("etag_versioning.E004", screen)
    assert message.msg == "testapp.Screen.stale_writes is 'warn'."
    assert message.hint == 'stale_writes = "raise", "report" or "merge"'
