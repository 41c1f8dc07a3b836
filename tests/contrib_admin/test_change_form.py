"""The page that changes an object: a save of an old page is neither lost nor forced."""

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import path

from etag_versioning.contrib.admin import VersionedAdmin, VersionedAdminMixin
from tests.testapp.models import Book, Genre, Person, Shelf, Team

from .site import sent, urls

pytestmark = pytest.mark.django_db


class PersonAdmin(VersionedAdmin):
    save_as = True


class OwnBase(admin.ModelAdmin):
    """As a project has one."""

    saved = []

    def save_model(self, request, obj, form, change):
        self.saved.append(obj.name)
        super().save_model(request, obj, form, change)


class TeamAdmin(VersionedAdminMixin, OwnBase):
    fieldsets = [("Names", {"fields": ["name"]})]


class NewForm(forms.ModelForm):
    class Meta:
        model = Shelf
        fields = ["name"]
        labels = {"name": "Name of the new shelf"}


class TwoForms(admin.ModelAdmin):
    """As Django's UserAdmin chooses the form of the page that adds an object."""

    def get_form(self, request, obj=None, change=False, **kwargs):
        defaults = {"form": NewForm} if obj is None else {}
        form = super().get_form(request, obj, change=change, **(defaults | kwargs))
        form.base_fields["name"].help_text = "As on the label."
        return form


class ShelfAdmin(VersionedAdminMixin, TwoForms):
    pass


class GenreForm(forms.ModelForm):
    name = forms.CharField(max_length=20)


class GenreAdmin(VersionedAdmin):
    """A field that the form declares is read-only."""

    form = GenreForm
    readonly_fields = ["name"]


class BookAdmin(VersionedAdmin):
    readonly_fields = ["opened"]
    filter_horizontal = ["genres"]


urlpatterns = [
    path(
        "admin/",
        urls(
            (Person, PersonAdmin),
            (Team, TeamAdmin),
            (Book, BookAdmin),
            (Shelf, ShelfAdmin),
            (Genre, GenreAdmin),
        ),
    ),
]


@pytest.fixture
def person():
    return Person.objects.create(name="Grace", days=3)


def page_of(row):
    meta = row._meta
    return f"/admin/{meta.app_label}/{meta.model_name}/{row.pk}/change/"


class TestTwoTabs:
    def test_the_first_save_is_performed_and_the_second_is_not(
        self, browser, second_browser, person
    ):
        address = page_of(person)
        first, second = browser.get(address), second_browser.get(address)
        assert second_browser.post(address, sent(second, name="Theirs")).status_code == 302
        response = browser.post(address, sent(first, name="Mine"))
        assert response.status_code == 409
        assert Person.objects.get().name == "Theirs"

    def test_the_conflict_shows_mine_theirs_the_original_and_who_wrote(
        self, browser, second_browser, person
    ):
        address = page_of(person)
        first, second = browser.get(address), second_browser.get(address)
        second_browser.post(address, sent(second, name="Theirs"))
        response = browser.post(address, sent(first, name="Mine"))
        conflict = response.context["adminform"].form.conflict
        (name,) = conflict.fields
        assert (name.original, name.theirs, name.mine) == ("Grace", "Theirs", "Mine")
        (change,) = conflict.changes
        assert (change.by, change.message) == ("alan", "Changed Name.")
        assert change.at == LogEntry.objects.get().action_time

    def test_the_save_that_made_the_opened_version_is_not_listed(
        self, browser, second_browser, person
    ):
        address = page_of(person)
        browser.post(address, sent(browser.get(address), name="Before"))
        first, second = browser.get(address), second_browser.get(address)
        second_browser.post(address, sent(second, name="Theirs"))
        response = browser.post(address, sent(first, name="Mine"))
        (change,) = response.context["adminform"].form.conflict.changes
        assert change.by == "alan"

    def test_mine_is_kept_by_a_second_save(self, browser, second_browser, person):
        address = page_of(person)
        first, second = browser.get(address), second_browser.get(address)
        second_browser.post(address, sent(second, name="Theirs", days="9"))
        response = browser.post(address, sent(first, name="Mine"))
        assert browser.post(address, sent(response)).status_code == 302
        person.refresh_from_db()
        assert (person.name, person.days) == ("Mine", 9)

    def test_theirs_is_taken_by_a_choice(self, browser, second_browser, person):
        address = page_of(person)
        first, second = browser.get(address), second_browser.get(address)
        second_browser.post(address, sent(second, name="Theirs"))
        response = browser.post(address, sent(first, name="Mine", days="4"))
        choice = {"versioned_choice-name": "theirs"}
        assert browser.post(address, sent(response, **choice)).status_code == 302
        person.refresh_from_db()
        assert (person.name, person.days) == ("Theirs", 4)
        assert LogEntry.objects.first().get_change_message() == "Changed Days."

    def test_a_merged_value_is_saved(self, browser, second_browser, person):
        address = page_of(person)
        first, second = browser.get(address), second_browser.get(address)
        second_browser.post(address, sent(second, name="Theirs"))
        response = browser.post(address, sent(first, name="Mine"))
        assert browser.post(address, sent(response, name="Both")).status_code == 302
        assert Person.objects.get().name == "Both"

    def test_a_conflict_can_be_a_conflict_again(self, browser, second_browser, person):
        address = page_of(person)
        first, second = browser.get(address), second_browser.get(address)
        second_browser.post(address, sent(second, name="Theirs"))
        response = browser.post(address, sent(first, name="Mine"))
        second_browser.post(address, sent(second_browser.get(address), name="Third"))
        assert browser.post(address, sent(response)).status_code == 409
        assert Person.objects.get().name == "Third"

    def test_a_conflict_in_a_popup_stays_a_popup(self, browser, person):
        address = page_of(person) + "?_popup=1"
        page = browser.get(address)
        person.touch()
        response = browser.post(address, sent(page, name="Mine"))
        assert response.status_code == 409
        assert sent(response)["_popup"] == "1"

    def test_an_object_that_was_deleted_is_answered_as_django_does(self, browser, person):
        address = page_of(person)
        page = browser.get(address)
        Person.objects.all().delete()
        response = browser.post(address, sent(page, name="Mine"), follow=True)
        assert "Perhaps it was deleted?" in response.content.decode()


class TestSaving:
    def test_a_page_of_the_current_state_is_saved_and_logged(self, browser, person):
        address = page_of(person)
        assert browser.post(address, sent(browser.get(address), name="Ada")).status_code == 302
        person.refresh_from_db()
        assert (person.name, person.version) == ("Ada", 2)
        assert LogEntry.objects.get().get_change_message() == "Changed Name."

    def test_continue_editing_shows_the_new_state(self, browser, person):
        address = page_of(person)
        page = browser.get(address)
        for name in ("Ada", "Alan"):
            page = browser.post(address, sent(page, name=name, _continue="1"), follow=True)
            assert page.status_code == 200
        assert Person.objects.get().name == "Alan"

    def test_an_error_that_is_corrected_is_saved(self, browser, person):
        address = page_of(person)
        page = browser.post(address, sent(browser.get(address), days="x"))
        assert page.status_code == 200
        assert browser.post(address, sent(page, days="4")).status_code == 302

    def test_a_new_object_is_compared_with_nothing(self, browser):
        address = "/admin/testapp/person/add/"
        assert browser.post(address, sent(browser.get(address), name="Ada")).status_code == 302
        assert Person.objects.get().name == "Ada"

    def test_save_as_new_of_an_old_page_makes_a_new_object(self, browser, person):
        address = page_of(person)
        page = browser.get(address)
        other = Person.objects.get()
        other.name = "Theirs"
        other.save()
        data = sent(page, name="New", _saveasnew="1")
        assert browser.post(address, data).status_code == 302
        assert [each.name for each in Person.objects.order_by("pk")] == ["Theirs", "New"]

    def test_a_page_without_its_hidden_field_is_refused(self, browser, person):
        address = page_of(person)
        data = sent(browser.get(address), name="Mine")
        del data["versioned_state"]
        assert browser.post(address, data).status_code == 409
        assert Person.objects.get().name == "Grace"


class TestProjectsOwnClasses:
    def test_fieldsets_carry_the_hidden_field(self, browser):
        team = Team.objects.create(name="Search")
        assert "versioned_state" in sent(browser.get(page_of(team)))

    def test_save_model_is_called_once_and_not_for_a_stale_page(self, browser):
        team = Team.objects.create(name="Search")
        OwnBase.saved.clear()
        page = browser.get(page_of(team))
        assert browser.post(page_of(team), sent(page, name="Found")).status_code == 302
        assert OwnBase.saved == ["Found"]
        assert browser.post(page_of(team), sent(page, name="Lost")).status_code == 409
        assert OwnBase.saved == ["Found"]

    def test_many_to_many_and_readonly_fields(self, browser):
        book = Book.objects.create(name="a", shelf=Shelf.objects.create(name="s"))
        genre = Genre.objects.create(name="novel")
        address = page_of(book)
        page = browser.get(address)
        assert browser.post(address, sent(page, genres=[genre.pk])).status_code == 302
        assert list(book.genres.all()) == [genre]
        response = browser.post(address, sent(page, genres=[]))
        assert response.status_code == 409
        (genres,) = response.context["adminform"].form.conflict.fields
        assert (genres.original, genres.theirs, genres.mine) == ("", str(genre), "")

    def test_a_person_who_may_only_view_gets_a_page(self, client, person):
        from django.contrib.auth.models import Permission, User
        from django.contrib.contenttypes.models import ContentType

        viewer = User.objects.create_user("v", is_staff=True)
        kind = ContentType.objects.get_for_model(Person)
        viewer.user_permissions.add(
            Permission.objects.get_or_create(
                content_type=kind, codename="view_person", defaults={"name": "view"}
            )[0]
        )
        client.force_login(viewer)
        assert client.get(page_of(person)).status_code == 200
        assert client.post(page_of(person), {"name": "x"}).status_code == 403

    def test_a_template_of_a_project_needs_no_change(self, browser, person, settings, tmp_path):
        folder = tmp_path / "admin/testapp/person"
        folder.mkdir(parents=True)
        (folder / "change_form.html").write_text(
            "<form method=post>{% csrf_token %}{{ adminform.form.non_field_errors }}"
            "{% for fieldset in adminform %}{% for line in fieldset %}{% for field in line %}"
            "{{ field.field }}{% endfor %}{% endfor %}{% endfor %}</form>"
        )
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
        page = browser.get(page_of(person))
        person.touch()
        response = browser.post(page_of(person), sent(page, name="Mine"))
        assert response.status_code == 409
        assert "Nothing was saved" in response.content.decode()
        assert browser.post(page_of(person), sent(response)).status_code == 302


class TestFormsOfProjects:
    def test_get_form_of_a_project_chooses_the_form(self, browser):
        page = browser.get("/admin/testapp/shelf/add/").content.decode()
        assert "Name of the new shelf" in page

    def test_get_form_of_a_project_may_change_fields(self, browser):
        shelf = Shelf.objects.create(name="A")
        page = browser.get(page_of(shelf)).content.decode()
        assert "As on the label." in page
        assert "versioned_state" in page

    def test_a_declared_field_that_is_read_only_is_no_field_of_the_form(self, browser):
        address = page_of(Genre.objects.create(name="A"))
        response = browser.post(address, sent(browser.get(address)))
        assert response.status_code == 302


def test_a_model_without_a_version_is_refused_by_a_check():
    from tests.testapp.models import Plain

    class PlainAdmin(VersionedAdmin):
        pass

    (error,) = PlainAdmin(Plain, admin.site).check()
    assert error.id == "etag_versioning.E301"
    assert "class Plain(VersionedModel)" in error.hint
