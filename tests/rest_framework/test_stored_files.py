"""A write that is refused stores no file: viewsets, and those that are made of coroutines."""

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.test.client import MULTIPART_CONTENT, encode_multipart
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Attachment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

WRITERS = 8

# What another request does between the evaluation of If-Match and the write.
meanwhile = []


class AttachmentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Attachment
        fields = ("id", "name", "file")

    def validate(self, data):
        while meanwhile:
            meanwhile.pop()()
        return data


class AttachmentViewSet(VersionedModelViewSet):
    queryset = Attachment.objects.all()
    serializer_class = AttachmentSerializer

    @action(detail=True, methods=["put"])
    def upload(self, request, pk=None):
        attachment = self.get_object()
        attachment.file = request.data["file"]
        attachment.save()
        return Response({})


class OwnHookViewSet(AttachmentViewSet):
    def perform_update(self, serializer):
        serializer.save(name="b")


class OwnUpdateSerializer(AttachmentSerializer):
    def update(self, instance, validated_data):
        instance.file = validated_data["file"]
        instance.save(update_fields=["file"])
        return instance


class OwnUpdateViewSet(AttachmentViewSet):
    serializer_class = OwnUpdateSerializer


router = SimpleRouter()
router.register("attachments", AttachmentViewSet, "attachment")
router.register("own-hook", OwnHookViewSet, "own-hook")
router.register("own-update", OwnUpdateViewSet, "own-update")
urlpatterns = [path("", include(router.urls))]

KINDS = ["attachments", "own-hook", "own-update"]

try:
    from adrf.routers import SimpleRouter as AsyncRouter
    from adrf.serializers import ModelSerializer as AsyncModelSerializer
    from adrf.viewsets import ModelViewSet as AsyncModelViewSet
except ImportError:
    pass
else:
    from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin

    class AsyncAttachmentSerializer(AsyncModelSerializer, AttachmentSerializer):
        class Meta(AttachmentSerializer.Meta):
            pass

    class AsyncAttachmentViewSet(AsyncVersionedViewSetMixin, AsyncModelViewSet):
        queryset = Attachment.objects.all()
        serializer_class = AsyncAttachmentSerializer

    class AsyncOwnHookViewSet(AsyncAttachmentViewSet):
        async def perform_aupdate(self, serializer):
            await serializer.asave(name="b")

    async_router = AsyncRouter()
    async_router.register("adrf", AsyncAttachmentViewSet, "async-attachment")
    async_router.register("adrf-own-hook", AsyncOwnHookViewSet, "async-own-hook")
    urlpatterns.append(path("", include(async_router.urls)))
    KINDS += ["adrf", "adrf-own-hook"]


def stored(media_root):
    return sorted(path.read_bytes() for path in media_root.rglob("*") if path.is_file())


def write(method, url, content, tag):
    fields = {"name": "a", "file": ContentFile(content, name="a.txt")}
    body = encode_multipart("BoUnDaRyStRiNg", fields)
    return getattr(Client(), method)(url, body, MULTIPART_CONTENT, headers={"If-Match": tag})


def write_at_once(race, method, url, tag):
    """The statuses of several uploads with one tag, and the content of the one that won."""
    contents = [f"content {number}".encode() for number in range(WRITERS)]
    answers = race(*[lambda each=each: write(method, url, each, tag) for each in contents])
    statuses = [answer.status_code for answer in answers]
    return sorted(statuses), contents[statuses.index(200)]


def tag_of(kind, attachment):
    return Client().get(f"/{kind}/{attachment.pk}/")["ETag"]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_uploads_store_the_content_of_the_winner(
    race, overwriting, media_root, attachment, kind, method
):
    tag = tag_of(kind, attachment)
    statuses, won = write_at_once(race, method, f"/{kind}/{attachment.pk}/", tag)
    assert statuses == [200] + [412] * (WRITERS - 1)
    assert stored(media_root) == [won]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_uploads_that_are_refused_leave_no_file(
    race, media_root, attachment, kind, method
):
    tag = tag_of(kind, attachment)
    statuses, won = write_at_once(race, method, f"/{kind}/{attachment.pk}/", tag)
    assert statuses == [200] + [412] * (WRITERS - 1)
    assert stored(media_root) == sorted([b"first", won])


def test_concurrent_uploads_by_an_action_store_the_content_of_the_winner(
    race, overwriting, media_root, attachment
):
    tag = tag_of("attachments", attachment)
    url = f"/attachments/{attachment.pk}/upload/"
    statuses, won = write_at_once(race, "put", url, tag)
    assert statuses == [200] + [412] * (WRITERS - 1)
    assert stored(media_root) == [won]


def replace_meanwhile(race, pk):
    """Let another request, which has a thread and a connection of its own, win."""

    def replace():
        attachment = Attachment.objects.get(pk=pk)
        attachment.file = ContentFile(b"the winner's", name="a.txt")
        attachment.save()

    meanwhile.append(lambda: race(replace))


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_that_another_overtakes_does_not_replace_its_content(
    race, overwriting, media_root, attachment, kind, method
):
    tag = tag_of(kind, attachment)
    replace_meanwhile(race, attachment.pk)
    assert write(method, f"/{kind}/{attachment.pk}/", b"refused", tag).status_code == 412
    assert stored(media_root) == [b"the winner's"]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_that_another_overtakes_leaves_no_file(
    race, media_root, attachment, kind, method
):
    tag = tag_of(kind, attachment)
    replace_meanwhile(race, attachment.pk)
    assert write(method, f"/{kind}/{attachment.pk}/", b"refused", tag).status_code == 412
    assert stored(media_root) == [b"first", b"the winner's"]
