"""Generic views for editing and deleting, by a browser's form and by a client's header."""

import pytest
from django.http import HttpResponseRedirect
from django.test import Client
from django.urls import path
from django.utils.functional import SimpleLazyObject

from etag_versioning.forms import VersionedModelForm
from etag_versioning.generic import VersionedDeleteView, VersionedUpdateView
from etag_versioning.sources.rows import row_of
from tests.contrib_admin.site import sent
from tests.testapp.models import Person

pytestmark = pytest.mark.django_db

TEMPLATES = {
    "person_form.html": "<form method=post>{{ form }}</form>",
    "person_confirm_delete.html": "<form method=post>Delete {{ object.name }}? {{ form }}</form>",
}


class PersonUpdate(VersionedUpdateView):
    model = Person
    fields = ["name", "days"]
    template_name = "person_form.html"
    success_url = "/saved/"


class PersonForm(VersionedModelForm):
    class Meta:
        model = Person
        fields = ["name"]


class OtherUpdate(PersonUpdate):
    """With a form class, a prefix and a form_valid() of its own."""

    fields = None
    form_class = PersonForm
    prefix = "left"
    saved = []

    def form_valid(self, form):
        self.saved.append(form.cleaned_data["name"])
        return super().form_valid(form)


class OwnUpdate(PersonUpdate):
    """As a page on which users edit themselves: ``request.user`` is lazy."""

    def get_object(self, queryset=None):
        return SimpleLazyObject(Person.objects.get)


class UpdateOrCreate(PersonUpdate):
    """Creates the row where there is none."""

    def get_object(self, queryset=None):
        return Person.objects.first()


class UpdateElsewhere(PersonUpdate):
    queryset = Person.objects.using("other")


class PersonDelete(VersionedDeleteView):
    model = Person
    template_name = "person_confirm_delete.html"
    success_url = "/deleted/"


urlpatterns = [
    path("people/<int:pk>/", PersonUpdate.as_view()),
    path("other/<int:pk>/", OtherUpdate.as_view()),
    path("own/", OwnUpdate.as_view()),
    path("first/", UpdateOrCreate.as_view()),
    path("elsewhere/<int:pk>/", UpdateElsewhere.as_view()),
    path("people/<int:pk>/delete/", PersonDelete.as_view()),
]


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = __name__
    loader = ("django.template.loaders.locmem.Loader", TEMPLATES)
    packaged = "django.template.loaders.app_directories.Loader"
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [loader, packaged]},
        }
    ]


@pytest.fixture
def person():
    return Person.objects.create(name="Grace", days=3)


@pytest.fixture
def browser():
    return Client(headers={"Accept": "text/html"})


def tag_of(person):
    return str(row_of(Person.objects.get(pk=person.pk)).validators().etag)


def saved_by_somebody_else(person, **values):
    other = Person.objects.get(pk=person.pk)
    for name, value in values.items():
        setattr(other, name, value)
    other.save()


class TestLazyInstance:
    def test_a_form_of_the_current_state_is_saved(self, browser, person):
        page = browser.get("/own/")
        assert browser.post("/own/", sent(page, name="Ada")).status_code == 302
        assert Person.objects.get().name == "Ada"

    def test_a_form_of_an_old_state_comes_back(self, browser, person):
        page = browser.get("/own/")
        saved_by_somebody_else(person, days=9)
        assert browser.post("/own/", sent(page, name="Ada")).status_code == 409

    def test_if_match_is_compared(self, browser, person):
        headers = {"If-Match": tag_of(person)}
        data = {"name": "Ada", "days": 3}
        assert browser.post("/own/", data, headers=headers).status_code == 302
        assert browser.post("/own/", data, headers=headers).status_code == 412


class TestViewWithoutObject:
    def test_a_form_creates_the_row(self, browser):
        response = browser.post("/first/", sent(browser.get("/first/"), name="Ada", days=1))
        assert response.status_code == 302
        assert Person.objects.get().name == "Ada"

    def test_a_client_that_sends_if_match_gets_404(self, browser):
        headers = {"If-Match": '"person-1-v1.0"'}
        response = browser.post("/first/", {"name": "Ada", "days": 1}, headers=headers)
        assert response.status_code == 404


@pytest.mark.django_db(databases=["default", "other"])
def test_if_match_is_compared_in_the_database_of_the_views_queryset(browser):
    person = Person.objects.using("other").create(name="Grace")
    headers = {"If-Match": str(row_of(person).validators().etag)}
    data = {"name": "Ada", "days": 3}
    response = browser.post(f"/elsewhere/{person.pk}/", data, headers=headers)
    assert response.status_code == 302
    assert Person.objects.using("other").get().name == "Ada"


class TestUpdate:
    def test_a_form_of_the_current_state_is_saved(self, browser, person):
        page = browser.get(f"/people/{person.pk}/")
        response = browser.post(f"/people/{person.pk}/", sent(page, name="Ada"))
        assert isinstance(response, HttpResponseRedirect)
        assert Person.objects.get().name == "Ada"

    def test_a_form_of_an_old_state_comes_back_with_the_conflict(self, browser, person):
        page = browser.get(f"/people/{person.pk}/")
        saved_by_somebody_else(person, name="Theirs")
        response = browser.post(f"/people/{person.pk}/", sent(page, name="Mine"))
        assert response.status_code == 409
        (name,) = response.context["form"].conflict.fields
        assert (name.original, name.theirs, name.mine) == ("Grace", "Theirs", "Mine")
        assert Person.objects.get().name == "Theirs"

    def test_the_form_that_came_back_can_be_saved(self, browser, person):
        page = browser.get(f"/people/{person.pk}/")
        saved_by_somebody_else(person, name="Theirs", days=9)
        page = browser.post(f"/people/{person.pk}/", sent(page, name="Mine"))
        assert browser.post(f"/people/{person.pk}/", sent(page)).status_code == 302
        person.refresh_from_db()
        assert (person.name, person.days) == ("Mine", 9)

    def test_a_form_class_a_prefix_and_form_valid_of_a_project(self, browser, person):
        OtherUpdate.saved.clear()
        page = browser.get(f"/other/{person.pk}/")
        data = sent(page, **{"left-name": "Ada"})
        assert browser.post(f"/other/{person.pk}/", data).status_code == 302
        assert browser.post(f"/other/{person.pk}/", data).status_code == 409
        assert OtherUpdate.saved == ["Ada"]

    def test_a_form_that_is_not_valid_is_answered_as_django_does(self, browser, person):
        page = browser.get(f"/people/{person.pk}/")
        assert browser.post(f"/people/{person.pk}/", sent(page, days="x")).status_code == 200

    def test_a_form_without_its_hidden_field_is_refused(self, browser, person):
        response = browser.post(f"/people/{person.pk}/", {"name": "Mine", "days": "3"})
        assert response.status_code == 409
        assert Person.objects.get().name == "Grace"


class TestUpdateByHeader:
    """A client names the state by If-Match, and needs no hidden field."""

    data = {"name": "Mine", "days": "3"}

    def test_the_current_tag_saves(self, client, person):
        headers = {"If-Match": tag_of(person)}
        response = client.post(f"/people/{person.pk}/", self.data, headers=headers)
        assert response.status_code == 302
        assert Person.objects.get().name == "Mine"

    def test_an_old_tag_is_412_and_shows_the_current_one(self, client, person):
        headers = {"If-Match": tag_of(person)}
        saved_by_somebody_else(person, name="Theirs")
        response = client.post(f"/people/{person.pk}/", self.data, headers=headers)
        assert response.status_code == 412
        assert response.json()["current_etag"] == tag_of(person)
        assert Person.objects.get().name == "Theirs"

    def test_an_old_tag_is_412_before_the_form_is_validated(self, client, person):
        headers = {"If-Match": tag_of(person)}
        saved_by_somebody_else(person, name="Theirs")
        response = client.post(f"/people/{person.pk}/", {"days": "x"}, headers=headers)
        assert response.status_code == 412

    def test_a_person_sees_the_412_as_a_page_with_a_way_on(self, browser, person):
        headers = {"If-Match": tag_of(person)}
        saved_by_somebody_else(person, name="Theirs")
        response = browser.post(f"/people/{person.pk}/", self.data, headers=headers)
        assert response.status_code == 412
        page = response.content.decode()
        assert "<h1>Nothing was saved</h1>" in page
        assert f'<a href="/people/{person.pk}/">Open the page as it is now</a>' in page

    def test_put_without_a_precondition_is_428(self, client, person):
        assert client.put(f"/people/{person.pk}/").status_code == 428

    def test_an_absent_row_is_404_whatever_the_header(self, client, person):
        response = client.post("/people/999999/", self.data, headers={"If-Match": '"a"'})
        assert response.status_code == 404


class TestDelete:
    def test_what_the_page_showed_is_deleted(self, browser, person):
        address = f"/people/{person.pk}/delete/"
        assert browser.post(address, sent(browser.get(address))).status_code == 302
        assert not Person.objects.exists()

    def test_what_was_changed_is_shown_again(self, browser, person):
        address = f"/people/{person.pk}/delete/"
        page = browser.get(address)
        saved_by_somebody_else(person, name="Theirs")
        response = browser.post(address, sent(page))
        assert response.status_code == 409
        text = response.content.decode()
        assert "Nothing was deleted" in text
        assert "Delete Theirs?" in text
        assert browser.post(address, sent(response)).status_code == 302
        assert not Person.objects.exists()

    def test_a_page_without_its_hidden_field_deletes_nothing(self, browser, person):
        assert browser.post(f"/people/{person.pk}/delete/", {}).status_code == 409
        assert Person.objects.exists()

    def test_the_current_tag_deletes(self, client, person):
        headers = {"If-Match": tag_of(person)}
        response = client.delete(f"/people/{person.pk}/delete/", headers=headers)
        assert response.status_code == 302
        assert not Person.objects.exists()

    def test_an_old_tag_is_412(self, client, person):
        headers = {"If-Match": tag_of(person)}
        saved_by_somebody_else(person, name="Theirs")
        response = client.delete(f"/people/{person.pk}/delete/", headers=headers)
        assert response.status_code == 412
        assert Person.objects.exists()

    def test_delete_without_a_precondition_is_428(self, client, person):
        assert client.delete(f"/people/{person.pk}/delete/").status_code == 428
        assert Person.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_of_many_saves_exactly_one_is_performed(self, race, person):
        address = f"/people/{person.pk}/"
        clients = [Client(headers={"Accept": "text/html"}) for _ in range(4)]
        pages = [
            sent(each.get(address), name=f"by {number}") for number, each in enumerate(clients)
        ]
        statuses = race(
            *(
                lambda client=client, data=data: client.post(address, data).status_code
                for client, data in zip(clients, pages, strict=True)
            )
        )
        assert sorted(statuses) == [302, 409, 409, 409]
        person.refresh_from_db()
        assert person.version == 2

    def test_a_save_and_a_deletion_are_not_both_performed(self, race, person):
        editor, remover = (Client(headers={"Accept": "text/html"}) for _ in range(2))
        change = sent(editor.get(f"/people/{person.pk}/"), name="Mine")
        delete = sent(remover.get(f"/people/{person.pk}/delete/"))
        statuses = race(
            lambda: editor.post(f"/people/{person.pk}/", change).status_code,
            lambda: remover.post(f"/people/{person.pk}/delete/", delete).status_code,
        )
        assert statuses.count(302) == 1, statuses
        assert Person.objects.filter(name="Mine").exists() == (statuses[0] == 302)
