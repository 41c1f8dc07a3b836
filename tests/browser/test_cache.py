"""What Chromium keeps of the pages, and shows again."""

import pytest
from django.contrib.auth.models import User

from tests.testapp.models import Person

from .site import journal

pytestmark = pytest.mark.django_db(transaction=True)

PUT = "put-object-form"


def reads(person):
    path = f"/people/{person.pk}/"
    return [one.status for one in journal if (one.method, one.path) == ("GET", path)]


def test_an_unchanged_page_is_answered_304(editor, person):
    for _ in range(2):
        editor.open(f"/people/{person.pk}/")
        assert editor.status() == 200
        assert editor.field(PUT, "name").get_attribute("value") == "Grace"
    assert reads(person) == [200, 304]


def test_a_reload_after_put_shows_what_was_put(editor, person):
    editor.open(f"/people/{person.pk}/")
    editor.fill(PUT, name="Ada")
    editor.press(PUT, "PUT")
    editor.driver.refresh()
    assert editor.field(PUT, "name").get_attribute("value") == "Ada"
    editor.fill(PUT, name="Alan")
    editor.press(PUT, "PUT")
    assert editor.status() == 200
    assert Person.objects.get().name == "Alan"


def test_a_page_that_was_left_and_is_opened_again_is_new(editor, person):
    editor.open(f"/people/{person.pk}/")
    editor.fill(PUT, name="Ada")
    editor.press(PUT, "PUT")
    editor.open("/people/")
    editor.open(f"/people/{person.pk}/")
    assert editor.field(PUT, "name").get_attribute("value") == "Ada"


def test_a_page_that_the_back_button_brings_overwrites_nothing(editor, person):
    editor.open(f"/people/{person.pk}/")
    editor.open("/people/")
    other = Person.objects.get()
    other.name = "Alan"
    other.save()
    editor.driver.back()
    editor.fill(PUT, days="8")
    shown = editor.field(PUT, "name").get_attribute("value")
    editor.press(PUT, "PUT")
    # Either the browser has asked again, or its old page is refused.
    assert (shown, editor.status()) in [("Alan", 200), ("Grace", 412)]
    assert Person.objects.get().name == "Alan"


def test_a_login_makes_a_page_new(editor, person):
    """Its forms hold Django's token against forgery, which a login changes."""
    editor.open(f"/people/{person.pk}/")
    editor.driver.delete_all_cookies()
    editor.log_in("ada", "secret of ada")
    editor.open(f"/people/{person.pk}/")
    editor.fill(PUT, name="Ada")
    editor.press(PUT, "PUT")
    assert editor.status() == 200
    assert User.objects.count() == 1
    assert Person.objects.get().name == "Ada"
