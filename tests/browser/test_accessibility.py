"""What axe-core says of the example's page, and of each page on which somebody meets a conflict."""

import pytest
from django.contrib.auth.models import User

from . import axe, test_admin, test_example_page, test_generic_views
from .conftest import require

pytestmark = pytest.mark.django_db(transaction=True)

LOOKS = {"light": {}, "dark": {"prefers_color_scheme": "dark"}, "narrow": {"width": 390}}
looks = pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)


@pytest.fixture(autouse=True)
def axe_installed(installed):
    require(axe.missing())


def test_a_page_with_a_violation_is_found_out(visitor):
    visitor.driver.get("data:text/html,<title>No language</title><p><input></p>")
    found = {one.partition(":")[0] for one in axe.violations(visitor.driver)}
    assert found == {"html-has-lang", "label"}


@looks
class TestExample:
    def test_the_page(self, newcomer, look):
        newcomer.show_as(**look)
        test_example_page.opened(newcomer)
        assert axe.violations(newcomer.driver) == []

    def test_the_page_with_a_conflict(self, newcomer, look):
        newcomer.show_as(**look)
        test_example_page.meet(test_example_page.opened(newcomer))
        assert axe.violations(newcomer.driver) == []

    def test_the_page_with_a_304_an_error_and_eight_writers(self, newcomer, look):
        newcomer.show_as(**look)
        page = test_example_page.opened(newcomer)
        page.press("grace", "reload")
        page.enter("ada", leave_days="many")
        page.save("ada")
        page.find("#writers button").click()
        assert page.says("grace", "304")
        assert page.says("ada", "400")
        assert page.shows("#writers .said", "7 refused")
        assert axe.violations(newcomer.driver) == []


@looks
class TestConflicts:
    def test_in_the_admin(self, editor, person, look):
        User.objects.update(is_staff=True, is_superuser=True)
        editor.show_as(**look)
        editor.open(test_admin.page_of(person))
        test_admin.enter(editor, "name", "Mine")
        test_admin.alan_saves(person, name="Theirs", days=9)
        test_admin.save(editor)
        assert editor.has(".versioned-conflict")
        # Above it are Django's breadcrumbs, whose links are told by their colour alone.
        assert axe.violations(editor.driver, "#content-start") == []

    def test_in_a_list_of_the_admin(self, editor, person, look):
        User.objects.update(is_staff=True, is_superuser=True)
        editor.show_as(**look)
        editor.open("/admin/testapp/person/")
        test_admin.enter(editor, "form-0-name", "Mine")
        test_admin.alan_saves(person, name="Theirs")
        test_admin.save(editor)
        # Django's own list has fields without labels.
        assert axe.violations(editor.driver, ".versioned-conflict") == []

    def test_in_a_form(self, visitor, person, look):
        visitor.show_as(**look)
        visitor.open(f"/edit/{person.pk}/")
        test_generic_views.enter(visitor, "name", "Mine")
        test_generic_views.somebody_else_saves(person, name="Theirs", days=9)
        test_generic_views.send(visitor)
        assert visitor.has(".versioned-conflict")
        assert axe.violations(visitor.driver) == []

    def test_in_the_browsable_api(self, editor, person, look):
        editor.show_as(**look)
        editor.open(f"/people/{person.pk}/")
        editor.fill("put-object-form", name="Mine")
        test_generic_views.somebody_else_saves(person, name="Theirs")
        editor.press("put-object-form", "PUT")
        # The rest of the page is Django REST framework's.
        assert axe.violations(editor.driver, "#conflict") == []

    def test_on_the_page_of_a_412(self, visitor, person, look):
        visitor.show_as(**look)
        visitor.open(f"/edit/{person.pk}/")
        shown = visitor.driver.execute_async_script(
            """
            const done = arguments[0];
            const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
            const stale = {"If-Match": '"person-1-v0"', "Accept": "text/html"};
            const headers = {...stale, "X-CSRFToken": token};
            fetch(location.href, {method: "POST", headers}).then(async (answer) => {
              document.write(await answer.text());
              document.close();
              done(answer.status);
            });
            """
        )
        assert shown == 412
        assert visitor.text("h1") == "Nothing was saved"
        visitor.driver.execute_script("document.querySelector('details').open = true")
        assert axe.violations(visitor.driver) == []
