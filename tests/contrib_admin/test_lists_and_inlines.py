"""Rows that are edited in a list, and below another object."""

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import path

from etag_versioning.contrib.admin import VersionedAdmin, VersionedTabularInline
from tests.testapp.models import Person, Team

from .site import sent, urls

pytestmark = pytest.mark.django_db


class PersonAdmin(VersionedAdmin):
    list_display = ["id", "name", "days"]
    list_editable = ["name", "days"]
    ordering = ["pk"]


class PersonInline(admin.TabularInline):
    model = Person
    extra = 1


class TeamAdmin(VersionedAdmin):
    inlines = [PersonInline]


class VersionedPersonInline(VersionedTabularInline):
    model = Person
    extra = 0


class LabelledInline(admin.TabularInline):
    """Changes a field of its form, as projects do to restrict the choices."""

    model = Person
    extra = 0

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.base_fields["name"].label = "Name in the passport"
        return formset


class LabelledTeamAdmin(VersionedAdmin):
    inlines = [LabelledInline]


class ShownInline(admin.TabularInline):
    model = Person
    extra = 0

    def has_add_permission(self, request, obj=None):
        return False

    has_change_permission = has_delete_permission = has_add_permission


class ShownTeamAdmin(VersionedAdmin):
    """The people of its teams are shown, and cannot be edited."""

    inlines = [ShownInline]


class CheckedForm(forms.ModelForm):
    def clean(self):
        if self.instance.team.name == "Closed":
            raise forms.ValidationError("This team is closed.")
        return super().clean()


class CheckedInline(admin.TabularInline):
    model = Person
    form = CheckedForm
    extra = 0


class CheckedTeamAdmin(VersionedAdmin):
    """Its inline's form reads the object of the page."""

    inlines = [CheckedInline]


class FixedInline(admin.TabularInline):
    model = Person
    extra = 0

    def has_add_permission(self, request, obj=None):
        return False


class FixedTeamAdmin(VersionedAdmin):
    """Nobody adds people to its teams."""

    inlines = [FixedInline]


class PlainTeamAdmin(admin.ModelAdmin):
    """Its inline is versioned, and it is not."""

    inlines = [VersionedPersonInline]


urlpatterns = [
    path("admin/", urls((Person, PersonAdmin), (Team, TeamAdmin))),
    path("plain/", urls((Team, PlainTeamAdmin))),
    path("labelled/", urls((Team, LabelledTeamAdmin))),
    path("shown/", urls((Team, ShownTeamAdmin))),
    path("checked/", urls((Team, CheckedTeamAdmin))),
    path("fixed/", urls((Team, FixedTeamAdmin))),
]

LIST = "/admin/testapp/person/"


@pytest.fixture
def team():
    team = Team.objects.create(name="Search")
    for name in ("Ada", "Grace"):
        Person.objects.create(name=name, team=team)
    return team


def names():
    return [person.name for person in Person.objects.order_by("pk")]


def saved_by_somebody_else(number, **values):
    person = Person.objects.order_by("pk")[number]
    for name, value in values.items():
        setattr(person, name, value)
    person.save()


class TestList:
    def test_a_row_in_its_current_state_is_saved(self, browser, team):
        page = browser.get(LIST)
        response = browser.post(LIST, sent(page, _save="1", **{"form-0-name": "Mine"}))
        assert response.status_code == 302
        assert names() == ["Mine", "Grace"]

    def test_a_row_that_both_changed_is_a_conflict_in_its_row(self, browser, team):
        page = browser.get(LIST)
        saved_by_somebody_else(0, name="Theirs")
        response = browser.post(LIST, sent(page, _save="1", **{"form-0-name": "Mine"}))
        assert response.status_code == 409
        assert "Nothing was saved: this was changed" in response.content.decode()
        assert names() == ["Theirs", "Grace"]

    def test_nothing_of_a_list_with_a_conflict_is_saved(self, browser, team):
        page = browser.get(LIST)
        saved_by_somebody_else(0, name="Theirs")
        entered = {"form-0-name": "Mine", "form-1-name": "Mine too"}
        assert browser.post(LIST, sent(page, _save="1", **entered)).status_code == 409
        assert names() == ["Theirs", "Grace"]

    def test_theirs_can_be_taken_in_one_row_while_another_is_saved(self, browser, team):
        page = browser.get(LIST)
        saved_by_somebody_else(0, name="Theirs")
        entered = {"form-0-name": "Mine", "form-1-name": "Mine too"}
        response = browser.post(LIST, sent(page, _save="1", **entered))
        choice = {"form-0-versioned_choice-name": "theirs"}
        assert browser.post(LIST, sent(response, _save="1", **choice)).status_code == 302
        assert names() == ["Theirs", "Mine too"]

    def test_a_row_that_only_others_changed_keeps_what_they_wrote(self, browser, team):
        page = browser.get(LIST)
        saved_by_somebody_else(1, name="Theirs")
        response = browser.post(LIST, sent(page, _save="1", **{"form-0-name": "Mine"}))
        assert response.status_code == 302
        assert names() == ["Mine", "Theirs"]
        assert LogEntry.objects.count() == 1

    def test_a_row_that_others_deleted_shows_what_was_entered(self, browser, team):
        page = browser.get(LIST)
        Person.objects.order_by("pk")[0].delete()
        data = sent(page, _save="1", **{"form-0-name": "Mine", "form-1-name": "Also mine"})
        response = browser.post(LIST, data)
        assert response.status_code == 409
        assert "a row that you have changed: Name: Mine, Days: 0." in response.content.decode()
        assert browser.post(LIST, sent(response, _save="1")).status_code == 302
        assert names() == ["Also mine"]

    def test_rows_of_a_list_that_was_sorted_again_stay_beside_their_objects(self, browser, team):
        page = browser.get(LIST)
        saved_by_somebody_else(0, name="Theirs")
        Person.objects.create(pk=Person.objects.order_by("pk")[0].pk - 1000, name="First")
        response = browser.post(LIST, sent(page, _save="1", **{"form-0-name": "Mine"}))
        changelist = response.context_data["cl"]
        assert [each.pk for each in changelist.result_list] == [
            form.instance.pk for form in changelist.formset.forms
        ]


class TestInlines:
    def page(self, team):
        return f"/admin/testapp/team/{team.pk}/change/"

    def test_rows_in_their_current_states_are_saved(self, browser, team):
        page = browser.get(self.page(team))
        data = sent(page, **{"person_set-0-name": "Mine", "person_set-2-name": "New"})
        assert browser.post(self.page(team), data).status_code == 302
        assert names() == ["Mine", "Grace", "New"]

    def test_a_row_that_both_changed_is_a_conflict(self, browser, team):
        page = browser.get(self.page(team))
        saved_by_somebody_else(0, name="Theirs")
        data = sent(page, name="Renamed", **{"person_set-0-name": "Mine"})
        response = browser.post(self.page(team), data)
        assert response.status_code == 409
        assert names() == ["Theirs", "Grace"]
        assert Team.objects.get().name == "Search"
        again = sent(response, **{"person_set-0-versioned_choice-name": "mine"})
        assert browser.post(self.page(team), again).status_code == 302
        assert names() == ["Mine", "Grace"]
        assert Team.objects.get().name == "Renamed"

    def test_a_conflict_says_who_changed_the_row_on_the_same_page(
        self, browser, second_browser, team
    ):
        mine, theirs = (each.get(self.page(team)) for each in (browser, second_browser))
        second_browser.post(self.page(team), sent(theirs, **{"person_set-0-name": "Theirs"}))
        page = browser.get(self.page(team))
        assert "Theirs" in page.content.decode()
        data = sent(mine, **{"person_set-0-name": "Mine"})
        response = browser.post(self.page(team), data)
        formset = response.context["inline_admin_formsets"][0].formset
        assert [change.by for change in formset.forms[0].conflict.changes] == ["alan"]

    def test_a_row_that_only_others_changed_keeps_what_they_wrote(self, browser, team):
        page = browser.get(self.page(team))
        saved_by_somebody_else(0, name="Theirs")
        response = browser.post(self.page(team), sent(page, name="Renamed"))
        assert response.status_code == 302
        assert names() == ["Theirs", "Grace"]
        assert Team.objects.get().name == "Renamed"

    def test_a_row_that_others_changed_is_not_deleted_unseen(self, browser, team):
        page = browser.get(self.page(team))
        saved_by_somebody_else(0, name="Theirs")
        data = sent(page, **{"person_set-0-DELETE": "on"})
        response = browser.post(self.page(team), data)
        assert response.status_code == 409
        assert names() == ["Theirs", "Grace"]
        assert browser.post(self.page(team), sent(response)).status_code == 302
        assert names() == ["Grace"]

    def test_a_row_that_others_deleted_can_be_created_again(self, browser, team):
        page = browser.get(self.page(team))
        Person.objects.order_by("pk")[0].delete()
        response = browser.post(self.page(team), sent(page, **{"person_set-0-name": "Mine"}))
        assert response.status_code == 409
        assert browser.post(self.page(team), sent(response)).status_code == 302
        assert names() == ["Grace", "Mine"]

    def test_a_row_that_others_deleted_and_nobody_changed_is_no_conflict(self, browser, team):
        page = browser.get(self.page(team))
        Person.objects.order_by("pk")[0].delete()
        assert browser.post(self.page(team), sent(page, name="New")).status_code == 302
        assert names() == ["Grace"]
        assert Team.objects.get().name == "New"

    def test_an_inline_under_a_plain_admin_is_compared(self, browser, team):
        address = f"/plain/testapp/team/{team.pk}/change/"
        page = browser.get(address)
        saved_by_somebody_else(0, name="Theirs")
        response = browser.post(address, sent(page, **{"person_set-0-name": "Mine"}))
        assert response.status_code == 200
        assert "Nothing was saved" in response.content.decode()
        assert names() == ["Theirs", "Grace"]

    def test_what_get_formset_of_a_project_changed_in_the_form_stays(self, browser, team):
        page = browser.get(f"/labelled/testapp/team/{team.pk}/change/").content.decode()
        assert "Name in the passport" in page

    def test_a_row_that_is_only_shown_and_that_others_deleted_is_no_conflict(self, browser, team):
        address = f"/shown/testapp/team/{team.pk}/change/"
        page = browser.get(address)
        Person.objects.order_by("pk")[0].delete()
        assert browser.post(address, sent(page, name="New")).status_code == 302
        assert names() == ["Grace"]
        assert Team.objects.get().name == "New"

    def test_clean_of_a_row_that_others_deleted_knows_the_object_of_the_page(self, browser, team):
        address = f"/checked/testapp/team/{team.pk}/change/"
        page = browser.get(address)
        Person.objects.order_by("pk")[0].delete()
        response = browser.post(address, sent(page, **{"person_set-0-name": "Mine"}))
        assert response.status_code == 409

    def test_a_deleted_row_is_not_offered_again_to_those_who_cannot_add_one(self, browser, team):
        address = f"/fixed/testapp/team/{team.pk}/change/"
        page = browser.get(address)
        Person.objects.order_by("pk")[0].delete()
        response = browser.post(address, sent(page, **{"person_set-0-name": "Mine"}))
        assert response.status_code == 409
        assert "it stays deleted" in response.content.decode()
