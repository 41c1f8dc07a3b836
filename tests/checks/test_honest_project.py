"""A project whose tags are honest gets no message."""

import pytest
from django.test import override_settings
from django.urls import URLResolver, get_resolver

from etag_versioning.checks import check_models, check_views

pytest.importorskip("rest_framework")

URLCONF = "tests.checks.honest_project.urls"
LOCALE = "django.middleware.locale.LocaleMiddleware"


def views_of(resolver):
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from views_of(entry)
        else:
            yield getattr(entry.callback, "cls", entry.callback)


def test_there_are_views_of_many_kinds():
    assert len(set(views_of(get_resolver(URLCONF)))) > 50


def test_the_views_have_no_message(settings):
    settings.MIDDLEWARE = [LOCALE, *settings.MIDDLEWARE]
    with override_settings(ROOT_URLCONF=URLCONF):
        assert check_views() == []


def test_the_models_have_no_message():
    from tests.checks.honest_project.models import registry

    assert check_models(registry.get_app_configs()) == []
