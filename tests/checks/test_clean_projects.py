"""Projects in which nothing is wrong get no message at all."""

import sys
from types import ModuleType

import pytest
from django.apps import apps
from django.core import checks
from django.db import models
from django.test import override_settings
from django.urls import path

from etag_versioning.checks import check_models, check_settings, check_views
from etag_versioning.decorators import file_etag_func, revision_etag_func, versioned_condition
from etag_versioning.models import (
    TouchingMixin,
    VersionedManager,
    VersionedModel,
    VersionedQuerySet,
)
from tests.audit.models import Restaurant
from tests.testapp.models import Extended, Foreign, Person, Team


def ours(messages):
    return [message for message in messages if str(message.id).startswith("etag_versioning.")]


def test_the_example_project_has_no_message():
    pytest.importorskip("drf_spectacular")
    with override_settings(ROOT_URLCONF="example_project.urls"):
        assert check_views() == []
        configs = [apps.get_app_config("directory"), apps.get_app_config("catalogue")]
        assert check_models(configs) == []


# Since Django 6.1, its own check of a JSONField asks each database whether it has JSON.
@pytest.mark.django_db(databases="__all__")
def test_the_models_and_the_settings_of_the_suite_have_no_message():
    # What these models are for is what the checks warn of, and so is the shop of tests/honesty.
    wrong = (Extended, Foreign, Restaurant)
    found = [message for message in ours(checks.run_checks()) if message.obj not in wrong]
    assert [message for message in found if "honesty." not in str(message)] == []
    assert check_settings() == []


class ArticleQuerySet(VersionedQuerySet):
    def published(self):
        return self.filter(published=True)


class PublishedManager(VersionedManager):
    def get_queryset(self):
        return super().get_queryset().filter(published=True)


def test_a_project_that_uses_every_option_rightly_has_no_message(found):
    class Author(VersionedModel):
        unversioned_fields = ("last_seen", "friends")
        tag_key = "uuid"

        uuid = models.UUIDField(unique=True)
        name = models.CharField(max_length=50)
        last_seen = models.DateTimeField(null=True)
        friends = models.ManyToManyField("self")

        class Meta:
            app_label = "testapp"

    class Article(VersionedModel):
        touches = ("author",)
        skip_unchanged = True
        unversioned_managers = ("legacy",)

        author = models.ForeignKey(Author, models.CASCADE)
        readers = models.ManyToManyField(Author, through="testapp.Reading", related_name="+")
        published = models.BooleanField(default=False)

        objects = ArticleQuerySet.as_manager()
        public = PublishedManager()
        legacy = models.Manager()

        class Meta:
            app_label = "testapp"

    class Reading(TouchingMixin):
        touches = ["article"]

        article = models.ForeignKey(Article, models.CASCADE)
        reader = models.ForeignKey(Author, models.CASCADE, related_name="+")

        class Meta:
            app_label = "testapp"

    class Report(Article):
        pages = models.IntegerField(default=0)

        class Meta:
            app_label = "testapp"

    class ArticleProxy(Article):
        class Meta:
            app_label = "testapp"
            proxy = True

    assert found() == []


def test_a_urlconf_that_uses_every_option_rightly_has_no_message(tmp_path):
    def show(request, **kwargs):
        raise NotImplementedError

    def page(request, pk):
        return Person.objects.filter(team=pk)

    module = ModuleType("urls_of_one_test")
    module.urlpatterns = [
        path("a/<int:pk>/", versioned_condition(Person)(show)),
        path("b/<int:person>/", versioned_condition(Person, lookup_url_kwarg="person")(show)),
        path("c/<name>/", versioned_condition(Person, lookup_field="name", tag_key="name")(show)),
        path("d/<int:pk>/", versioned_condition(Team, page, Person.objects.all())(show)),
        path("e/<path:name>", versioned_condition(file_etag_func(tmp_path, "name"))(show)),
        path("f/", versioned_condition(revision_etag_func("1"), methods=["GET"])(show)),
        path("g/", versioned_condition(etag_func=lambda request: '"a"')(show)),
        path("h/", versioned_condition(lambda request: Person.objects.all())(show)),
        path("i/", show),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with override_settings(ROOT_URLCONF=module.__name__):
            assert check_views() == []
