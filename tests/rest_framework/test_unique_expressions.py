"""Create-only requests in viewsets, against values that are unique folded."""

import pytest
from django.db import connection
from django.urls import include, path
from rest_framework import serializers
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Account, Mailbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

WRITERS = 8


class AccountSerializer(serializers.ModelSerializer):
    class Meta:
        model = Account
        fields = ("id", "email")


class AccountViewSet(VersionedModelViewSet):
    queryset = Account.objects.all()
    serializer_class = AccountSerializer
    allow_create = True


class MailboxSerializer(serializers.ModelSerializer):
    class Meta:
        model = Mailbox
        fields = ("id", "email")


class MailboxViewSet(VersionedModelViewSet):
    queryset = Mailbox.objects.all()
    serializer_class = MailboxSerializer
    allow_create = True


router = SimpleRouter()
router.register("accounts", AccountViewSet, "account")
router.register("mailboxes", MailboxViewSet, "mailbox")
urlpatterns = [path("", include(router.urls))]

KINDS = ["accounts", "mailboxes"]
if connection.vendor == "mysql":
    KINDS.remove("accounts")

try:
    from adrf.routers import SimpleRouter as AsyncRouter
    from adrf.serializers import ModelSerializer as AsyncModelSerializer
    from adrf.viewsets import ModelViewSet as AsyncModelViewSet
except ImportError:
    pass
else:
    from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin

    class AsyncMailboxSerializer(AsyncModelSerializer):
        class Meta(MailboxSerializer.Meta):
            pass

    class AsyncMailboxViewSet(AsyncVersionedViewSetMixin, AsyncModelViewSet):
        queryset = Mailbox.objects.all()
        serializer_class = AsyncMailboxSerializer

    async_router = AsyncRouter()
    async_router.register("async-mailboxes", AsyncMailboxViewSet, "async-mailbox")
    urlpatterns.append(path("", include(async_router.urls)))
    KINDS.append("async-mailboxes")


def post(kind, email):
    content, headers = {"email": email}, {"If-None-Match": "*"}
    client = APIClient(raise_request_exception=False)
    return client.post(f"/{kind}/", content, format="json", headers=headers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_duplicate_that_only_the_database_finds_is_409(kind):
    assert post(kind, "ada@example.org").status_code == 201
    answer = post(kind, "Ada@example.org")
    assert (answer.status_code, answer.json()["reason"]) == (409, "duplicate")
    assert (Account if kind == "accounts" else Mailbox).objects.count() == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "async-mailboxes"])
def test_a_duplicate_at_another_address_is_409(kind):
    assert post(kind, "ada@example.org").status_code == 201
    client = APIClient(raise_request_exception=False)
    content, headers = {"email": "Ada@example.org"}, {"If-None-Match": "*"}
    answer = client.put(f"/{kind}/4711/", content, format="json", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (409, "duplicate")
    assert (Account if kind == "accounts" else Mailbox).objects.count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_creations_of_one_unique_value_create_one_row(race, kind):
    email = "ada@example.org"
    emails = [email[:number].upper() + email[number:] for number in range(WRITERS)]
    answers = race(*[lambda email=email: post(kind, email) for email in emails])
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 412}
