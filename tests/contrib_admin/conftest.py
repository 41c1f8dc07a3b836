import pytest
from django.contrib.auth.models import User
from django.test import Client

from .site import SETTINGS


@pytest.fixture(autouse=True)
def admin_settings(settings, request):
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    settings.ROOT_URLCONF = request.module.__name__


@pytest.fixture
def editor(db):
    return User.objects.create_superuser("ada", password="x")


@pytest.fixture
def browser(editor):
    client = Client(headers={"Accept": "text/html"})
    client.force_login(editor)
    return client


@pytest.fixture
def second_browser(db):
    client = Client(headers={"Accept": "text/html"})
    client.force_login(User.objects.create_superuser("alan", password="x"))
    return client
