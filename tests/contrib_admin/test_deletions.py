"""What is deleted is what the page that asked for it showed."""

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.urls import path

from etag_versioning.contrib.admin import VersionedAdmin
from tests.testapp.models import Badge, Person, Team

from .site import sent, urls

pytestmark = pytest.mark.django_db


@admin.action(description="Empty")
def empty(modeladmin, request, queryset):
    queryset.update(name="")


@admin.action(description="Delete at once")
def delete_selected(modeladmin, request, queryset):
    modeladmin.delete_queryset(request, queryset)


class TeamAdmin(VersionedAdmin):
    actions = [empty]


class HastyAdmin(VersionedAdmin):
    """Its own action has the name of Django's, and asks nothing."""

    actions = [delete_selected]


urlpatterns = [
    path("admin/", urls((Team, TeamAdmin))),
    path("hasty/", urls((Team, HastyAdmin))),
]

LIST = "/admin/testapp/team/"


@pytest.fixture
def team():
    team = Team.objects.create(name="Search")
    Person.objects.create(name="Ada", team=team)
    return team


def page_of(team):
    return f"{LIST}{team.pk}/delete/"


class TestOneObject:
    def test_what_the_page_showed_is_deleted(self, browser, team):
        response = browser.post(page_of(team), sent(browser.get(page_of(team))))
        assert response.status_code == 302
        assert not Team.objects.exists()
        assert not Person.objects.exists()

    def test_an_object_that_was_changed_is_shown_again(self, browser, team):
        page = browser.get(page_of(team))
        team.name = "Theirs"
        team.save()
        response = browser.post(page_of(team), sent(page), follow=True)
        assert response.redirect_chain == [(page_of(team), 302)]
        assert "Nothing was deleted" in response.content.decode()
        assert browser.post(page_of(team), sent(response)).status_code == 302
        assert not Team.objects.exists()

    def test_a_changed_row_that_would_be_deleted_with_it_counts(self, browser, team):
        page = browser.get(page_of(team))
        person = Person.objects.get()
        person.name = "Theirs"
        person.save()
        browser.post(page_of(team), sent(page))
        assert Team.objects.exists()

    def test_a_new_row_that_would_be_deleted_with_it_counts(self, browser, team):
        page = browser.get(page_of(team))
        Person.objects.create(name="New", team=team)
        browser.post(page_of(team), sent(page))
        assert Person.objects.count() == 2

    def test_a_page_without_its_hidden_field_deletes_nothing(self, browser, team):
        assert browser.post(page_of(team), {"post": "yes"}).status_code == 302
        assert Team.objects.exists()

    def test_the_field_of_another_object_deletes_nothing(self, browser, team):
        other = Team.objects.create(name="Other")
        browser.post(page_of(team), sent(browser.get(page_of(other))))
        assert Team.objects.count() == 2

    def test_a_protected_object_is_answered_as_django_does(self, browser, team):
        Badge.objects.create(team=team)
        response = browser.get(page_of(team))
        assert "would require deleting the following protected" in response.content.decode()

    def test_an_object_that_is_gone_is_answered_as_django_does(self, browser, team):
        page = browser.get(page_of(team))
        Person.objects.all().delete()
        Team.objects.all().delete()
        response = browser.post(page_of(team), sent(page), follow=True)
        assert "Perhaps it was deleted?" in response.content.decode()

    def test_a_template_that_cannot_confirm_is_named(self, browser, team, settings, tmp_path):
        folder = tmp_path / "admin/testapp/team"
        folder.mkdir(parents=True)
        (folder / "delete_confirmation.html").write_text("<form method=post></form>")
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
        with pytest.raises(ImproperlyConfigured, match='<input type="hidden" name="post"'):
            browser.get(page_of(team))


class TestSelection:
    @pytest.fixture
    def teams(self):
        return [Team.objects.create(name=name) for name in ("A", "B", "C")]

    def test_an_action_of_a_project_in_the_place_of_djangos_may_delete_at_once(
        self, browser, teams
    ):
        data = {"action": "delete_selected", "_selected_action": [teams[0].pk]}
        assert browser.post("/hasty/testapp/team/", data).status_code == 302
        assert Team.objects.count() == 2

    def ask(self, browser, *teams):
        data = {"action": "delete_selected", "_selected_action": [each.pk for each in teams]}
        return browser.post(LIST, data)

    def test_what_the_page_showed_is_deleted(self, browser, teams):
        page = self.ask(browser, *teams[:2])
        response = browser.post(LIST, sent(page), follow=True)
        assert "Successfully deleted 2" in response.content.decode()
        assert list(Team.objects.all()) == [teams[2]]

    def test_a_selection_of_which_one_was_changed_is_kept(self, browser, teams):
        page = self.ask(browser, *teams[:2])
        teams[0].name = "Theirs"
        teams[0].save()
        response = browser.post(LIST, sent(page), follow=True)
        text = response.content.decode()
        assert "Nothing was deleted" in text
        assert "Successfully deleted" not in text
        assert Team.objects.count() == 3

    def test_the_menu_above_the_list_where_there_is_one_below(self, browser, teams):
        data = {
            "action": ["delete_selected", ""],
            "index": "0",
            "_selected_action": [teams[0].pk],
        }
        page = browser.post(LIST, data)
        assert browser.post(LIST, sent(page)).status_code == 302
        assert not Team.objects.filter(pk=teams[0].pk).exists()

    def test_nothing_is_logged_of_a_deletion_that_was_not_performed(self, browser, teams):
        from django.contrib.admin.models import LogEntry

        page = self.ask(browser, *teams[:2])
        teams[0].touch()
        browser.post(LIST, sent(page))
        assert not LogEntry.objects.exists()

    def test_other_actions_need_no_confirmation(self, browser, teams):
        data = {"action": "empty", "_selected_action": [teams[0].pk]}
        assert browser.post(LIST, data).status_code == 302
        teams[0].refresh_from_db()
        assert teams[0].name == ""
