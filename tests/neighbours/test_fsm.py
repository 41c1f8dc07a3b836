"""django-fsm-2: of two transitions from one state, one wins."""

import pytest
from django.db import models
from django.db import transaction as db
from django.urls import include, path
from django_fsm import ConcurrentTransition, ConcurrentTransitionMixin, FSMField, transition
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Publishing(models.Model):
    status = FSMField(default="draft", protected=True)

    class Meta:
        abstract = True

    @transition(field=status, source="draft", target="published")
    def publish(self):
        pass

    @transition(field=status, source="draft", target="withdrawn")
    def withdraw(self):
        pass


class Plain(Publishing, VersionedModel):
    """Without the mixin: the version alone compares."""


class Article(VersionedModel, ConcurrentTransitionMixin, Publishing):
    unversioned_fields = ("status",)


class Essay(VersionedModel, ConcurrentTransitionMixin, Publishing):
    title = models.CharField(max_length=50)


class Review(ConcurrentTransitionMixin, VersionedModel, Publishing):
    title = models.CharField(max_length=50)


class EssaySerializer(ModelSerializer):
    class Meta:
        model = Essay
        fields = ("id", "title", "status")
        read_only_fields = ("status",)


class EssayViewSet(VersionedModelViewSet):
    queryset = Essay.objects.all()
    serializer_class = EssaySerializer

    @action(detail=True, methods=["post"])
    def publish(self, request, pk=None):
        essay = self.get_object()
        essay.publish()
        essay.save()
        return Response(self.get_serializer(essay).data)


router = SimpleRouter()
router.register("essays", EssayViewSet)
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize("model", [Essay, Review])


@both_orders
def test_a_transition_bumps_once(model):
    row = model.objects.create(title="one")
    row.publish()
    row.save()
    found = model.objects.get()
    assert (found.status, found.version, found.updated_at) == ("published", 2, row.updated_at)


@both_orders
def test_two_transitions_from_one_state_the_second_is_stale(model):
    model.objects.create(title="one")
    first, second = model.objects.get(), model.objects.get()
    first.publish()
    second.withdraw()
    first.save()
    with pytest.raises((StaleWriteError, ConcurrentTransition)), db.atomic():
        second.save()
    found = model.objects.get()
    assert (found.status, found.version) == ("published", 2)


@both_orders
def test_a_transition_from_a_state_that_update_changed_is_refused(model):
    row = model.objects.create(title="one")
    model.objects.unversioned().update(status="withdrawn")
    row.publish()
    with pytest.raises((StaleWriteError, ConcurrentTransition)), db.atomic():
        row.save()
    found = model.objects.get()
    assert (found.status, found.version) == ("withdrawn", 1)


@both_orders
def test_a_refused_transition_does_not_insert_a_deleted_row(model):
    row = model.objects.create(title="one")
    model.objects.all().delete()
    row.publish()
    with pytest.raises((StaleWriteError, ConcurrentTransition)), db.atomic():
        row.save()
    assert not model.objects.exists()


@both_orders
def test_refresh_from_db_reads_a_protected_state(model):
    row = model.objects.create(title="one")
    other = model.objects.get()
    other.publish()
    other.save()
    row.refresh_from_db()
    row.title = "two"
    row.save()
    assert model.objects.get().version == 3


@both_orders
def test_a_new_row_with_a_key_of_its_own_is_inserted(model):
    model(pk=7, title="one").save()
    assert model.objects.get().pk == 7


def test_the_version_alone_lets_one_of_two_transitions_win():
    Plain.objects.create()
    first, second = Plain.objects.get(), Plain.objects.get()
    first.publish()
    second.withdraw()
    first.save()
    with pytest.raises(StaleWriteError):
        second.save()
    assert Plain.objects.get().status == "published"


def test_the_mixin_compares_a_state_that_is_no_part_of_the_version():
    Article.objects.create()
    first, second = Article.objects.get(), Article.objects.get()
    first.publish()
    second.withdraw()
    first.save(update_fields=["status"])
    with pytest.raises(ConcurrentTransition), db.atomic():
        second.save(update_fields=["status"])
    found = Article.objects.get()
    assert (found.status, found.version) == ("published", 1)


def test_a_guarded_action_makes_one_transition_and_a_stale_tag_is_412():
    essay = Essay.objects.create(title="one")
    client = APIClient()
    tag = client.get(f"/essays/{essay.pk}/")["ETag"]
    first = client.post(f"/essays/{essay.pk}/publish/", headers={"if-match": tag})
    second = client.post(f"/essays/{essay.pk}/publish/", headers={"if-match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    found = Essay.objects.get()
    assert (found.status, found.version) == ("published", 2)
