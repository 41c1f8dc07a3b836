"""Create-only requests in plain views and coroutines, against values that are unique folded."""

import json

import pytest
from django.db import connection, transaction
from django.http import Http404, JsonResponse
from django.test import Client
from django.urls import path

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Account, Mailbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

WRITERS = 8


def email_in(request):
    try:
        return json.loads(request.body)["email"]
    except (ValueError, KeyError):
        raise Http404 from None


def account_of(request):
    return Account.objects.filter(email=email_in(request))


def mailbox_of(request):
    return Mailbox.objects.filter(email=email_in(request))


@versioned_condition(account_of, allow_create=True, methods=["POST"])
def add_account(request):
    Account.objects.create(email=email_in(request))
    return JsonResponse({}, status=201)


@versioned_condition(mailbox_of, allow_create=True, methods=["POST"])
def add_mailbox(request):
    Mailbox.objects.create(email=email_in(request))
    return JsonResponse({}, status=201)


@transaction.non_atomic_requests
@versioned_condition(mailbox_of, allow_create=True, methods=["POST"])
async def async_add_mailbox(request):
    await Mailbox.objects.acreate(email=email_in(request))
    return JsonResponse({}, status=201)


urlpatterns = [
    path("accounts/", add_account),
    path("mailboxes/", add_mailbox),
    path("async-mailboxes/", async_add_mailbox),
]

KINDS = ["accounts", "mailboxes", "async-mailboxes"]
if connection.vendor == "mysql":
    KINDS.remove("accounts")


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def atomic_requests(request):
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield request.param
    connection.settings_dict["ATOMIC_REQUESTS"] = False


def post(kind, email):
    headers = {"If-None-Match": "*"}
    return Client().post(f"/{kind}/", {"email": email}, "application/json", headers=headers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_duplicate_that_only_the_database_finds_is_409(atomic_requests, kind):
    assert post(kind, "ada@example.org").status_code == 201
    answer = post(kind, "Ada@example.org")
    # MariaDB's collation ignores case, so the source finds the row by itself.
    assert answer.status_code == (412 if connection.vendor == "mysql" else 409)
    assert (Account if kind == "accounts" else Mailbox).objects.count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_creations_of_one_unique_value_create_one_row(race, atomic_requests, kind):
    email = "ada@example.org"
    emails = [email[:number].upper() + email[number:] for number in range(WRITERS)]
    answers = race(*[lambda email=email: post(kind, email) for email in emails])
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 412}
