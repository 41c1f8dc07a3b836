"""The example project's admin, with the logins that "make serve" creates."""

import pytest
from django.core.management import call_command
from django.test import Client

from example_project import settings as example
from example_project.directory.models import Office, PhoneNumber, Team, User
from tests.contrib_admin.site import sent

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]


@pytest.fixture(autouse=True)
def example_settings(settings):
    settings.MIDDLEWARE = example.MIDDLEWARE
    settings.TEMPLATES = example.TEMPLATES


@pytest.fixture
def browsers():
    call_command("create_demo_logins", verbosity=0)
    call_command("create_demo_logins", verbosity=0)  # Those that are there stay.
    clients = {name: Client(headers={"Accept": "text/html"}) for name in ("ada", "alan")}
    for name, client in clients.items():
        assert client.login(username=name, password="demo")
    return clients.values()


@pytest.fixture
def user():
    team, office = Team.objects.create(name="T"), Office.objects.create(name="O", country="DE")
    user = User.objects.create(
        username="grace",
        first_name="Grace",
        last_name="H",
        email="g@example.org",
        job_title="Engineer",
        department="D",
        employee_number="1",
        hired_on="2020-01-01",
        salary_band="B1",
        desk="1",
        team=team,
        office=office,
    )
    PhoneNumber.objects.create(user=user, kind="desk", number="1")
    return user


def test_a_person_and_a_phone_number_are_saved_together(browsers, user):
    browser, _ = browsers
    address = f"/admin/directory/user/{user.pk}/change/"
    entered = {"job_title": "Manager", "phone_numbers-0-number": "2"}
    response = browser.post(address, sent(browser.get(address), **entered))
    assert response.status_code == 302
    assert User.objects.get().job_title == "Manager"
    assert PhoneNumber.objects.get().number == "2"


def test_a_phone_number_that_somebody_else_changed_is_kept(browsers, user):
    ada, alan = browsers
    address = f"/admin/directory/user/{user.pk}/change/"
    mine, theirs = ada.get(address), alan.get(address)
    assert alan.post(address, sent(theirs, **{"phone_numbers-0-number": "2"})).status_code == 302
    response = ada.post(address, sent(mine, job_title="Manager"))
    assert response.status_code == 409
    assert ada.post(address, sent(response)).status_code == 302
    assert User.objects.get().job_title == "Manager"
    assert PhoneNumber.objects.get().number == "2"


def test_a_phone_number_that_both_changed_is_a_conflict(browsers, user):
    ada, alan = browsers
    address = f"/admin/directory/user/{user.pk}/change/"
    mine, theirs = ada.get(address), alan.get(address)
    alan.post(address, sent(theirs, **{"phone_numbers-0-number": "2"}))
    response = ada.post(address, sent(mine, **{"phone_numbers-0-number": "3"}))
    assert response.status_code == 409
    assert PhoneNumber.objects.get().number == "2"
    choice = {"phone_numbers-0-versioned_choice-number": "theirs"}
    assert ada.post(address, sent(response, **choice)).status_code == 302
    assert PhoneNumber.objects.get().number == "2"


def test_the_lists_are_shown(browsers, user):
    browser, _ = browsers
    for model in ("directory/user", "directory/team", "directory/office", "catalogue/product"):
        assert browser.get(f"/admin/{model}/").status_code == 200
