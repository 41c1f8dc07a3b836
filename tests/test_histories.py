"""Apps that keep old versions of rows, and write them back; factories that save twice."""

import copy

import pytest
from django.db import IntegrityError, models, transaction
from django.db.models.signals import post_save

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel, VersionMixin

pytestmark = pytest.mark.django_db


class Essay(VersionedModel):
    name = models.CharField(max_length=10)

    class Meta:
        app_label = "testapp"


class Score(VersionMixin):
    points = models.IntegerField(default=0)

    class Meta:
        app_label = "testapp"


class EssayHistory(models.Model):
    """As django-simple-history makes it: copies of the fields, in a plain model."""

    essay_id = models.IntegerField()
    name = models.CharField(max_length=10)
    version = copy.copy(Essay._meta.get_field("version"))
    updated_at = copy.copy(Essay._meta.get_field("updated_at"))

    class Meta:
        app_label = "testapp"

    @property
    def instance(self):
        """As it was."""
        return Essay(
            pk=self.essay_id, name=self.name, version=self.version, updated_at=self.updated_at
        )

    @property
    def instance_without_state(self):
        """With ``excluded_fields=("version", "updated_at")``, which are read from the row."""
        state = Essay.objects.values("version", "updated_at").get(pk=self.essay_id)
        return Essay(pk=self.essay_id, name=self.name, **state)


@pytest.fixture(autouse=True)
def keep_history():
    def receive(instance, **kwargs):
        EssayHistory.objects.create(
            essay_id=instance.pk,
            name=instance.name,
            version=instance.version,
            updated_at=instance.updated_at,
        )

    post_save.connect(receive, sender=Essay)
    yield
    post_save.disconnect(receive, sender=Essay)


def test_a_history_row_has_the_state_that_its_row_has():
    essay = Essay.objects.create(name="a")
    essay.name = "b"
    essay.save()
    row = Essay.objects.values_list("version", "updated_at").get()
    histories = EssayHistory.objects.order_by("pk").values_list("version", "updated_at")
    assert histories[1] == row
    assert histories[0][0] == 1
    assert histories[0][1] < row[1]


@pytest.fixture
def essay():
    """In its third state."""
    essay = Essay.objects.create(name="a")
    for name in "bc":
        essay.name = name
        essay.save()
    return essay


@pytest.mark.parametrize("adding", [True, False])
class TestReverting:
    def test_an_old_row_with_its_old_state_is_stale(self, essay, adding):
        old = EssayHistory.objects.get(name="b").instance
        old._state.adding = adding
        with transaction.atomic():
            with pytest.raises(StaleWriteError, match=r"testapp\.Essay with primary key"):
                old.save()
            assert Essay.objects.get().name == "c"

    def test_an_old_row_with_the_state_of_the_row_can_be_saved(self, essay, adding):
        old = EssayHistory.objects.get(name="b").instance_without_state
        old._state.adding = adding
        old.save()
        essay.refresh_from_db()
        assert (essay.name, essay.version) == ("b", old.version) == ("b", 4)


def test_the_first_state_of_a_row_is_refused_with_what_to_do(essay):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        EssayHistory.objects.get(name="a").instance.save()
    assert "Essay.objects.get(pk=" in refused.value.__notes__[0]
    assert Essay.objects.get().name == "c"


def test_a_row_that_is_gone_can_be_made_again_from_its_history(essay):
    before = essay.updated_at
    essay.delete()
    EssayHistory.objects.get(name="b").instance.save()
    assert Essay.objects.get().updated_at > before


def test_an_instance_that_was_not_read_does_not_overwrite_a_row():
    score, essay = Score.objects.create(points=1), Essay.objects.create(name="a")
    for instance in (Score(pk=score.pk, points=2), Essay(pk=essay.pk, name="b")):
        with pytest.raises(IntegrityError), transaction.atomic():
            instance.save()
    assert (Score.objects.get().points, Essay.objects.get().name) == (1, "a")


def test_an_insert_that_is_forced_is_refused_by_the_database():
    essay = Essay.objects.create(name="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        Essay(pk=essay.pk).save(force_insert=True)


def test_an_instance_of_a_factory_can_be_saved_again():
    essay = Essay.objects.create(name="a")
    essay.save()
    essay.save()
    assert Essay.objects.get().version == essay.version == 3
