"""Two people press Save at the same moment."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import path

from etag_versioning.contrib.admin import VersionedAdmin
from tests.testapp.models import Person, Team

from .site import sent, urls

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 4


class PersonAdmin(VersionedAdmin):
    list_display = ["id", "name"]
    list_editable = ["name"]


class TeamAdmin(VersionedAdmin):
    """Its save bypasses the comparison of the ORM."""

    def save_model(self, request, obj, form, change):
        Team.objects.filter(pk=obj.pk).update(name=obj.name)


urlpatterns = [path("admin/", urls((Person, PersonAdmin), (Team, TeamAdmin)))]


def browsers(count=WRITERS):
    for number in range(count):
        client = Client(headers={"Accept": "text/html"})
        client.force_login(User.objects.create_superuser(f"editor{number}", password="x"))
        yield client


def saves(address, prefix=""):
    """One function for each person, who has the page open and saves it."""
    for number, client in enumerate(browsers()):
        page = client.get(address)
        data = sent(page, _save="Save", **{f"{prefix}name": f"by {number}"})
        yield lambda client=client, data=data: client.post(address, data).status_code


def test_of_many_saves_of_a_page_exactly_one_is_performed(race):
    person = Person.objects.create(name="Grace")
    address = f"/admin/testapp/person/{person.pk}/change/"
    statuses = race(*saves(address))
    assert sorted(statuses) == [302, *[409] * (WRITERS - 1)]
    person.refresh_from_db()
    assert person.version == 2


def test_of_many_saves_that_are_only_reported_exactly_one_is_performed(race, monkeypatch):
    monkeypatch.setattr(Person, "stale_writes", "report")
    person = Person.objects.create(name="Grace")
    address = f"/admin/testapp/person/{person.pk}/change/"
    statuses = race(*saves(address))
    assert sorted(statuses) == [302, *[409] * (WRITERS - 1)]
    person.refresh_from_db()
    assert person.version == 2


def test_of_many_saves_by_querysets_exactly_one_is_performed(race):
    team = Team.objects.create(name="Search")
    address = f"/admin/testapp/team/{team.pk}/change/"
    statuses = race(*saves(address))
    assert sorted(statuses) == [302, *[409] * (WRITERS - 1)]
    team.refresh_from_db()
    assert team.version == 2


def test_of_many_saves_of_a_list_exactly_one_is_performed(race):
    person = Person.objects.create(name="Grace")
    address = "/admin/testapp/person/"
    statuses = race(*saves(address, "form-0-"))
    assert sorted(statuses) == [302, *[409] * (WRITERS - 1)]
    person.refresh_from_db()
    assert person.version == 2


def test_of_many_deletions_and_saves_nothing_is_lost(race):
    """Whoever comes first wins; the others are told."""
    person = Person.objects.create(name="Grace")
    page = f"/admin/testapp/person/{person.pk}"
    (editor, remover) = browsers(2)
    change = sent(editor.get(f"{page}/change/"), name="Mine")
    delete = sent(remover.get(f"{page}/delete/"))
    race(
        lambda: editor.post(f"{page}/change/", change).status_code,
        lambda: remover.post(f"{page}/delete/", delete).status_code,
    )
    left = [each.name for each in Person.objects.all()]
    assert left in ([], ["Mine"])
