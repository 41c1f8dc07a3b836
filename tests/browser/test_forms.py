"""The forms of the browsable API, in Chromium."""

import pytest

from tests.testapp.models import Person

from .site import writes

pytestmark = pytest.mark.django_db(transaction=True)

PUT, RAW = "put-object-form", "put-generic-content-form"
POST, RAW_POST = "post-object-form", "post-generic-content-form"


def address(person):
    return f"/people/{person.pk}/"


def somebody_else_writes(person, **values):
    other = Person.objects.get(pk=person.pk)
    for name, value in values.items():
        setattr(other, name, value)
    other.save()


def statuses():
    return [write.status for write in writes()]


class TestWrites:
    def test_the_form_saves_and_the_page_that_comes_back_saves_again(self, editor, person):
        editor.open(address(person))
        for name in ("Ada", "Alan"):
            editor.fill(PUT, name=name)
            editor.press(PUT, "PUT")
            assert editor.status() == 200
            assert editor.field(PUT, "name").get_attribute("value") == name
        person.refresh_from_db()
        assert (person.name, person.version) == ("Alan", 3)
        first, second = writes()
        assert first.if_match.startswith(f'"person-{person.pk}-v1.')
        assert second.if_match.startswith(f'"person-{person.pk}-v2.')

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_raw_data_saves(self, editor, person, method):
        editor.open(address(person))
        editor.fill_raw(RAW, {"name": "Ada"})
        editor.press(RAW, method)
        assert editor.status() == 200
        person.refresh_from_db()
        assert person.name == "Ada"

    def test_delete_asks_and_deletes(self, editor, person):
        editor.open(address(person))
        editor.delete()
        assert editor.status() == 204
        assert not Person.objects.exists()

    def test_a_form_with_an_error_is_corrected(self, editor, person):
        editor.open(address(person))
        editor.fill(PUT, days="-1")
        editor.press(PUT, "PUT")
        assert editor.status() == 400
        assert "Not less than none." in editor.text(f"#{PUT}")
        editor.fill(PUT, days="5")
        editor.press(PUT, "PUT")
        assert editor.status() == 200
        person.refresh_from_db()
        assert person.days == 5

    def test_while_an_error_is_corrected_somebody_else_writes(self, editor, person):
        editor.open(address(person))
        editor.fill(PUT, days="-1")
        editor.press(PUT, "PUT")
        somebody_else_writes(person, days=9)
        editor.fill(PUT, days="5")
        editor.press(PUT, "PUT")
        assert statuses() == [400, 412]
        assert Person.objects.get().days == 9

    def test_creating_needs_no_tag(self, editor, person):
        editor.open("/people/")
        editor.fill(POST, name="Ada")
        editor.press(POST, "POST")
        assert editor.status() == 201
        assert writes()[0].if_match is None
        assert Person.objects.count() == 2


class TestActions:
    """Their page has no GET; it is opened all the same, and has forms."""

    def test_the_form_acts(self, editor, person):
        editor.open(f"{address(person)}rename/")
        assert editor.status() == 405
        editor.fill(POST, name="Ada")
        editor.press(POST, "POST")
        assert editor.status() == 200
        assert Person.objects.get().name == "Ada"

    def test_raw_data_acts(self, editor, person):
        editor.open(f"{address(person)}rename/")
        editor.fill_raw(RAW_POST, {"name": "Ada"})
        editor.press(RAW_POST, "POST")
        assert editor.status() == 200
        assert Person.objects.get().name == "Ada"

    def test_a_conflict_keeps_the_input(self, editor, person):
        editor.open(f"{address(person)}rename/")
        somebody_else_writes(person, name="Alan")
        editor.fill(POST, name="Ada")
        editor.press(POST, "POST")
        assert editor.status() == 412
        assert "Name Ada Alan" in editor.text("#conflict")
        editor.press(POST, "POST")
        assert editor.status() == 200
        assert Person.objects.get().name == "Ada"


class TestConflicts:
    def test_of_the_form_shows_both_and_a_second_press_overwrites(self, editor, person):
        editor.open(address(person))
        editor.fill(PUT, name="Ada", days="4")
        somebody_else_writes(person, name="Alan & <b>Co</b>", days=4)
        editor.press(PUT, "PUT")
        assert editor.status() == 412
        shown = editor.text("#conflict")
        assert "Nothing was saved: this has changed since you opened it" in shown
        assert "Name Ada Alan & <b>Co</b>" in shown
        assert "Days" not in shown
        assert Person.objects.get().name == "Alan & <b>Co</b>"

        assert editor.field(PUT, "name").get_attribute("value") == "Ada"
        editor.press(PUT, "PUT")
        assert editor.status() == 200
        assert not editor.has("#conflict")
        assert Person.objects.get().name == "Ada"
        assert statuses() == [412, 200]

    def test_a_third_writer_is_met_again(self, editor, person):
        editor.open(address(person))
        editor.fill(PUT, name="Ada")
        for name in ("Alan", "Barbara"):
            somebody_else_writes(person, name=name)
            editor.press(PUT, "PUT")
            assert f"Name Ada {name}" in editor.text("#conflict")
        assert statuses() == [412, 412]

    def test_mine_can_be_given_up(self, editor, person):
        editor.open(address(person))
        editor.fill(PUT, name="Ada")
        somebody_else_writes(person, name="Alan")
        editor.press(PUT, "PUT")
        editor.leave_by(editor.driver.find_element("css selector", "#conflict a"))
        assert editor.status() == 200
        assert editor.field(PUT, "name").get_attribute("value") == "Alan"

    def test_of_raw_data(self, editor, person):
        editor.open(address(person))
        editor.fill_raw(RAW, {"name": "Ada"})
        somebody_else_writes(person, name="Alan", days=7)
        editor.press(RAW, "PATCH")
        assert editor.status() == 412
        assert "Name Ada Alan" in editor.text("#conflict")
        editor.show(RAW)
        assert editor.field(RAW, "_content").get_attribute("value") == '{\n    "name": "Ada"\n}'
        editor.press(RAW, "PATCH")
        assert editor.status() == 200
        person.refresh_from_db()
        assert (person.name, person.days) == ("Ada", 7)

    def test_of_delete_shows_what_would_be_deleted(self, editor, person):
        editor.open(address(person))
        somebody_else_writes(person, name="Alan")
        editor.delete()
        assert editor.status() == 412
        shown = editor.text("#conflict")
        assert "Nothing was deleted" in shown
        assert "Name Alan" in shown
        editor.delete()
        assert editor.status() == 204
        assert not Person.objects.exists()
