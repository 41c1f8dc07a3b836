"""Two people edit the same object by a form of a generic view, one of them in Chromium."""

import pytest

from tests.testapp.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


def somebody_else_saves(person, **values):
    other = Person.objects.get(pk=person.pk)
    for name, value in values.items():
        setattr(other, name, value)
    other.save()


def enter(visitor, name, value):
    field = visitor.driver.find_element("name", name)
    field.clear()
    field.send_keys(value)


def send(visitor):
    visitor.leave_by(visitor.driver.find_element("css selector", "#edit button"))


def test_a_stale_form_shows_the_conflict_and_can_be_sent_again(visitor, person):
    visitor.open(f"/edit/{person.pk}/")
    enter(visitor, "name", "Mine")
    somebody_else_saves(person, name="Theirs", days=9)
    send(visitor)
    shown = " ".join(visitor.text(".versioned-conflict").split())
    assert "Nothing was saved" in shown
    assert "Grace Theirs Mine" in shown
    send(visitor)
    assert not visitor.has(".versioned-conflict")
    person.refresh_from_db()
    assert (person.name, person.days) == ("Mine", 9)


def test_a_form_that_the_back_button_brings_overwrites_nothing(visitor, person):
    visitor.open(f"/edit/{person.pk}/")
    visitor.open("/people/")
    somebody_else_saves(person, name="Theirs")
    visitor.driver.back()
    enter(visitor, "days", "7")
    send(visitor)
    # Either the browser has asked again, or its old page is refused.
    assert Person.objects.get().name == "Theirs"


def test_a_stale_deletion_is_asked_for_again(visitor, person):
    visitor.open(f"/delete/{person.pk}/")
    somebody_else_saves(person, name="Theirs")
    send(visitor)
    assert visitor.text("h1") == "Delete Theirs?"
    assert "Nothing was deleted" in visitor.text("#edit")
    send(visitor)
    assert not Person.objects.exists()


def test_the_page_of_a_412_leads_to_what_is_there_now(visitor, person):
    """A script that sends If-Match, and shows the page that it is answered."""
    visitor.open(f"/edit/{person.pk}/")
    page = visitor.driver.execute_async_script(
        """
        const done = arguments[0];
        const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
        fetch(location.href, {
          method: "POST",
          headers: {"If-Match": '"person-1-v0"', "X-CSRFToken": token, "Accept": "text/html"},
          body: new URLSearchParams({name: "Mine", days: 1}),
        }).then(async (answer) => {
          document.body.innerHTML = (await answer.text());
          done(answer.status);
        });
        """
    )
    assert page == 412
    assert visitor.text("h1") == "Nothing was saved"
    visitor.leave_by(visitor.driver.find_element("link text", "Open the page as it is now"))
    assert visitor.text("h1") == "Change Grace"
