"""Each kind of path that ``touches`` can name bumps the row that it leads to."""

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import models
from django.db.models import F, Value
from django.http import HttpResponse

from etag_versioning.decorators import versioned_condition
from etag_versioning.models import TouchingMixin, VersionedModel
from etag_versioning.touching.receivers import connect

pytestmark = pytest.mark.django_db


class Story(VersionedModel):
    title = models.CharField(max_length=50)
    replies = GenericRelation("testapp.Reply")

    class Meta:
        app_label = "testapp"


class Poll(VersionedModel):
    """Its key is text, and it has no GenericRelation."""

    code = models.CharField(max_length=10, primary_key=True)

    class Meta:
        app_label = "testapp"


class Advert(models.Model):
    """Has no version."""

    class Meta:
        app_label = "testapp"


class Reply(TouchingMixin):
    touches = ("content_object",)

    text = models.CharField(max_length=50)
    # Its table is made before that of the content types.
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True, db_constraint=False)
    object_id = models.CharField(max_length=10, default="")
    content_object = GenericForeignKey()

    class Meta:
        app_label = "testapp"


class StoryProxy(Story):
    class Meta:
        app_label = "testapp"
        proxy = True


class LongStory(Story):
    touches = ("teaser",)

    pages = models.IntegerField(default=0)

    class Meta:
        app_label = "testapp"


class Teaser(VersionedModel):
    """Touched over a reverse one-to-one relation."""

    story = models.OneToOneField(LongStory, models.CASCADE, related_name="teaser")

    class Meta:
        app_label = "testapp"


class Mood(TouchingMixin):
    """Touches over two many-to-many fields."""

    touches = ("topics__stories",)

    name = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"


class Topic(models.Model):
    moods = models.ManyToManyField(Mood, related_name="topics")
    stories = models.ManyToManyField(Story, related_name="topics")

    class Meta:
        app_label = "testapp"


class Excerpt(TouchingMixin):
    """Touches by a foreign key to a proxy."""

    touches = ("story",)

    story = models.ForeignKey(StoryProxy, models.CASCADE)
    text = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"


class Extract(TouchingMixin):
    """Touches the parent's row of a child's."""

    touches = ("story__story_ptr",)

    story = models.ForeignKey(LongStory, models.CASCADE)

    class Meta:
        app_label = "testapp"


# As AppConfig.ready() does for the models of apps.
connect([Advert, Excerpt, Extract, LongStory, Mood, Poll, Reply, Story, Teaser, Topic])


@pytest.fixture
def story():
    return Story.objects.create(title="one")


@pytest.fixture
def reply(story):
    reply = Reply.objects.create(content_object=story, text="good")
    story.refresh_from_db()
    return reply


def version(row):
    return type(row).objects.get(pk=row.pk).version


# A generic foreign key.


def test_a_new_row_touches_the_object_of_its_generic_foreign_key(story):
    Reply.objects.create(content_object=story)
    assert version(story) == story.version == 2


def test_create_by_a_generic_relation_keeps_its_instance_current(story):
    story.replies.create(text="good")
    assert version(story) == story.version == 2


def test_a_changed_row_touches_its_object(story, reply):
    reply.text = "bad"
    reply.save(update_fields=["text"])
    assert version(story) == 3


def test_a_row_that_moves_touches_both_objects(story, reply):
    poll = Poll.objects.create(code="a")
    reply.content_object = poll
    reply.save()
    assert (version(story), version(poll)) == (3, 2)


def test_a_row_whose_key_alone_is_saved_touches_both_objects(story, reply):
    other = Story.objects.create(title="two")
    reply.object_id = other.pk
    reply.save(update_fields=["object_id"])
    assert (version(story), version(other)) == (3, 2)


def test_a_deleted_row_touches_its_object(story, reply):
    reply.delete()
    assert version(story) == 3


def test_rows_that_a_queryset_deletes_touch_their_object(story, reply):
    Reply.objects.filter(text="good").delete()
    assert version(story) == 3


def test_an_update_touches_the_objects(story, reply):
    poll = Poll.objects.create(code="a")
    Reply.objects.create(content_object=poll)
    Reply.objects.update(text="same")
    assert (version(story), version(poll)) == (3, 3)


def test_an_update_that_moves_rows_touches_both_objects(story, reply):
    other = Story.objects.create(title="two")
    Reply.objects.update(object_id=other.pk)
    assert (version(story), version(other)) == (3, 2)


def test_an_update_by_an_expression_touches_both_objects(story, reply):
    other = Story.objects.create(title="two")
    Reply.objects.update(object_id=Value(str(other.pk)), content_type=F("content_type"))
    assert (version(story), version(other)) == (3, 2)


def test_bulk_create_and_bulk_update_touch_the_objects(story):
    rows = Reply.objects.bulk_create([Reply(content_object=story), Reply(content_object=story)])
    assert version(story) == 2
    rows = list(Reply.objects.all())
    for row in rows:
        row.text = "new"
    Reply.objects.bulk_update(rows, ["text"])
    assert version(story) == 3


def test_a_fixture_touches_the_object_that_it_had_and_the_new_one(story, reply):
    other = Story.objects.create(title="two")
    reply.object_id = other.pk
    for loaded in serializers.deserialize("json", serializers.serialize("json", [reply])):
        loaded.save()
    assert (version(story), version(other)) == (3, 2)


def test_the_cascade_of_a_generic_relation_deletes_the_rows_and_the_object(story, reply):
    Reply.objects.create(content_object=Poll.objects.create(code="a"))
    story.delete()
    assert not Story.objects.exists()
    assert Reply.objects.count() == 1
    assert Poll.objects.get().version == 2


def test_objects_without_a_version_and_absent_ones_are_left_out(story):
    Reply.objects.create(content_object=Advert.objects.create())
    Reply.objects.create()
    kind = ContentType.objects.get_for_model(Story)
    Reply.objects.create(content_type=kind, object_id="none")
    Reply.objects.create(content_type=kind, object_id=str(story.pk + 99))
    assert version(story) == 1


def test_a_child_s_row_is_touched_in_its_parent_s_table():
    long = LongStory.objects.create(title="long")
    Reply.objects.create(content_object=long)
    assert version(long) == 2


def test_a_reply_changes_the_tag_of_its_story(story, rf):
    @versioned_condition(Story)
    def view(request, pk):
        return HttpResponse(Reply.objects.count())

    before = view(rf.get("/"), pk=story.pk)["ETag"]
    Reply.objects.create(content_object=story)
    response = view(rf.get("/", headers={"If-None-Match": before}), pk=story.pk)
    assert (response.status_code, response.content) == (200, b"1")


# Other paths.


def test_a_reverse_one_to_one_relation_is_touched():
    long = LongStory.objects.create(title="long")
    teaser = Teaser.objects.create(story=long)
    long.title = "longer"
    long.save()
    assert version(teaser) == 2


def test_a_path_over_two_many_to_many_fields_is_touched(story):
    mood, topic = Mood.objects.create(name="sad"), Topic.objects.create()
    topic.moods.add(mood)
    topic.stories.add(story)
    mood.name = "glad"
    mood.save()
    assert version(story) == 2


def test_links_at_the_first_field_of_a_path_touch(story):
    mood, topic = Mood.objects.create(name="sad"), Topic.objects.create()
    topic.stories.add(story)
    topic.moods.add(mood)
    assert version(story) == 2


def test_a_foreign_key_to_a_proxy_is_touched(story):
    Excerpt.objects.create(story_id=story.pk, text="…")
    assert version(story) == 2


def test_a_parent_link_is_touched():
    long = LongStory.objects.create(title="long")
    Extract.objects.create(story=long)
    assert version(long) == 2
