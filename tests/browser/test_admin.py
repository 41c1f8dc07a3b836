"""Two people edit the same object in the admin, one of them in Chromium."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User

from tests.testapp.models import Person, Team

pytestmark = pytest.mark.django_db(transaction=True)

CONFLICT = ".versioned-conflict"


@pytest.fixture
def admin(editor):
    User.objects.filter(username="ada").update(is_staff=True, is_superuser=True)
    return editor


def page_of(row):
    return f"/admin/testapp/{row._meta.model_name}/{row.pk}/change/"


def alan_saves(person, **values):
    """As Alan's own admin page would."""
    other = Person.objects.get(pk=person.pk)
    for name, value in values.items():
        setattr(other, name, value)
    other.save()
    alan, _ = User.objects.get_or_create(username="alan")
    LogEntry.objects.log_actions(
        alan.pk, [other], CHANGE, [{"changed": {"fields": ["Name"]}}], single_object=True
    )


def enter(visitor, name, value):
    field = visitor.driver.find_element("name", name)
    field.clear()
    field.send_keys(value)


def save(visitor, name="_save"):
    visitor.leave_by(visitor.driver.find_element("name", name))


def value_of(visitor, name):
    return visitor.driver.find_element("name", name).get_attribute("value")


class TestChangeForm:
    def test_a_stale_save_shows_mine_theirs_the_original_and_who_wrote(self, admin, person):
        admin.open(page_of(person))
        enter(admin, "name", "Mine")
        alan_saves(person, name="Theirs", days=9)
        save(admin)
        shown = admin.text(CONFLICT)
        assert "Nothing was saved: this was changed after you opened it" in shown
        assert "alan" in shown
        assert "Grace Theirs Mine" in " ".join(shown.split())
        assert (value_of(admin, "name"), value_of(admin, "days")) == ("Mine", "9")
        assert Person.objects.get().name == "Theirs"

    def test_mine_is_kept_and_theirs_is_not_lost(self, admin, person):
        admin.open(page_of(person))
        enter(admin, "name", "Mine")
        alan_saves(person, name="Theirs", days=9)
        save(admin)
        save(admin)
        assert not admin.has(CONFLICT)
        person.refresh_from_db()
        assert (person.name, person.days) == ("Mine", 9)

    def test_theirs_is_taken_by_keyboard(self, admin, person):
        admin.open(page_of(person))
        enter(admin, "name", "Mine")
        alan_saves(person, name="Theirs")
        save(admin)
        mine, theirs = admin.driver.find_elements("name", "versioned_choice-name")
        assert mine.is_selected()
        mine.send_keys("\ue015")  # Arrow down, as in any group of radio buttons.
        assert theirs.is_selected()
        save(admin)
        assert Person.objects.get().name == "Theirs"

    def test_both_are_merged_in_the_form(self, admin, person):
        admin.open(page_of(person))
        enter(admin, "name", "Mine")
        alan_saves(person, name="Theirs")
        save(admin)
        enter(admin, "name", "Mine and theirs")
        save(admin)
        assert Person.objects.get().name == "Mine and theirs"

    def test_a_row_of_an_inline(self, admin, person):
        team = Team.objects.create(name="Search")
        Person.objects.filter(pk=person.pk).update(team=team)
        admin.open(page_of(team))
        enter(admin, "person_set-0-name", "Mine")
        alan_saves(person, name="Theirs")
        save(admin)
        assert "Grace Theirs Mine" in " ".join(admin.text(CONFLICT).split())
        save(admin)
        assert Person.objects.get().name == "Mine"


class TestListAndDeletion:
    def test_a_row_of_the_list(self, admin, person):
        admin.open("/admin/testapp/person/")
        enter(admin, "form-0-name", "Mine")
        alan_saves(person, name="Theirs")
        save(admin)
        assert "Grace Theirs Mine" in " ".join(admin.text(CONFLICT).split())
        save(admin)
        assert Person.objects.get().name == "Mine"

    def test_a_deletion_of_what_was_changed_is_asked_for_again(self, admin, person):
        admin.open(f"/admin/testapp/person/{person.pk}/delete/")
        alan_saves(person, name="Theirs")
        confirm = "#content input[type=submit]"
        admin.leave_by(admin.driver.find_element("css selector", confirm))
        assert "Nothing was deleted" in admin.text(".messagelist")
        assert Person.objects.exists()
        admin.leave_by(admin.driver.find_element("css selector", confirm))
        assert not Person.objects.exists()
