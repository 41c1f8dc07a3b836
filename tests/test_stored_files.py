"""A write that is refused stores no file: plain views and coroutines."""

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import MULTIPART_CONTENT, encode_multipart
from django.urls import path

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Attachment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

WRITERS = 8

# What another request does after the view has loaded the row.
meanwhile = []


def replace_file(request, attachment):
    while meanwhile:
        meanwhile.pop()()
    attachment.file = request.FILES["file"]


@versioned_condition(Attachment)
def view(request, pk):
    attachment = Attachment.objects.get(pk=pk)
    if request.method == "POST":
        replace_file(request, attachment)
        attachment.save()
    return HttpResponse()


@transaction.non_atomic_requests
@versioned_condition(Attachment)
async def async_view(request, pk):
    attachment = await Attachment.objects.aget(pk=pk)
    if request.method == "POST":
        await sync_to_async(replace_file)(request, attachment)
        await attachment.asave()
    return HttpResponse()


@transaction.non_atomic_requests
@versioned_condition(Attachment)
async def async_view_in_a_transaction(request, pk):
    def save():
        with transaction.atomic():
            attachment = Attachment.objects.get(pk=pk)
            attachment.file = request.FILES["file"]
            attachment.save()

    if request.method == "POST":
        await sync_to_async(save)()
    return HttpResponse()


urlpatterns = [
    path("plain/<int:pk>/", view),
    path("async/<int:pk>/", async_view),
    path("async-atomic/<int:pk>/", async_view_in_a_transaction),
]


def stored(media_root):
    return sorted(path.read_bytes() for path in media_root.rglob("*") if path.is_file())


def post(url, content, tag):
    body = encode_multipart("BoUnDaRyStRiNg", {"file": ContentFile(content, name="a.txt")})
    return Client().generic("POST", url, body, MULTIPART_CONTENT, headers={"If-Match": tag})


def write_at_once(race, url):
    """The statuses of several uploads with one tag, and the content of the one that won."""
    tag = Client().get(url)["ETag"]
    contents = [f"content {number}".encode() for number in range(WRITERS)]
    answers = race(*[lambda content=content: post(url, content, tag) for content in contents])
    statuses = [answer.status_code for answer in answers]
    return sorted(statuses), contents[statuses.index(200)]


@pytest.mark.parametrize("kind", ["plain", "async", "async-atomic"])
def test_concurrent_uploads_store_the_content_of_the_winner(
    race, overwriting, media_root, attachment, kind
):
    statuses, won = write_at_once(race, f"/{kind}/{attachment.pk}/")
    assert statuses == [200] + [412] * (WRITERS - 1)
    assert stored(media_root) == [won]


@pytest.mark.parametrize("kind", ["plain", "async", "async-atomic"])
def test_concurrent_uploads_that_are_refused_leave_no_file(race, media_root, attachment, kind):
    statuses, won = write_at_once(race, f"/{kind}/{attachment.pk}/")
    assert statuses == [200] + [412] * (WRITERS - 1)
    assert stored(media_root) == sorted([b"first", won])


def replace_meanwhile(race, pk):
    """Let another request, which has a thread and a connection of its own, win."""

    def replace():
        attachment = Attachment.objects.get(pk=pk)
        attachment.file = ContentFile(b"the winner's", name="a.txt")
        attachment.save()

    meanwhile.append(lambda: race(replace))


def test_an_upload_that_another_overtakes_does_not_replace_its_content(
    race, overwriting, media_root, attachment
):
    url = f"/async/{attachment.pk}/"
    tag = Client().get(url)["ETag"]
    replace_meanwhile(race, attachment.pk)
    assert post(url, b"refused", tag).status_code == 412
    assert stored(media_root) == [b"the winner's"]


def test_an_upload_that_another_overtakes_leaves_no_file(race, media_root, attachment):
    url = f"/async/{attachment.pk}/"
    tag = Client().get(url)["ETag"]
    replace_meanwhile(race, attachment.pk)
    assert post(url, b"refused", tag).status_code == 412
    assert stored(media_root) == [b"first", b"the winner's"]
