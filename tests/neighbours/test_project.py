"""All of these apps in one project: its migrations can be written, and its checks are silent."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command

from tests.documentation.blocks import DOCS
from tests.documentation.project import run_page

pytestmark = pytest.mark.django_db

# What these modules do wrong on purpose, to see the check.
MADE_WRONG = {
    "test_model_utils.Report": "etag_versioning.W001",
    "test_model_utils.Ticket": "etag_versioning.W001",
    "test_parler.Short": "etag_versioning.W008",
    "test_safedelete.Memo": "etag_versioning.W001",
    "test_taggit.Drink": "etag_versioning.W006",
    "test_taggit.Topic": "etag_versioning.E003",
    "test_taggit.TaggedMeal": "etag_versioning.W001",
}


def test_our_checks_complain_of_nothing_but_what_is_made_wrong_on_purpose():
    found = {
        message.obj._meta.label: message.id
        for message in run_checks()
        if message.id.startswith("etag_versioning.")
    }
    assert found == MADE_WRONG


@pytest.fixture
def migration_of(settings):
    """The text of an app's first migration, as makemigrations would write it."""
    settings.MIGRATION_MODULES = {}

    def dry_run(label):
        text = StringIO()
        call_command("makemigrations", label, dry_run=True, verbosity=3, stdout=text)
        return text.getvalue()

    return dry_run


@pytest.mark.parametrize(
    "label",
    [config.label for config in apps.get_app_configs() if config.name.startswith("tests.")],
)
def test_the_migration_of_each_app_can_be_written(label, migration_of):
    assert "initial = True" in migration_of(label)


def test_migrations_name_the_managers_of_the_other_apps(migration_of):
    text = migration_of("test_multitenant")
    assert "django_multitenant.models.TenantManager()" in text
    assert "etag_versioning.orm" not in text


def test_the_code_of_the_page_runs(tmp_path):
    run_page(DOCS / "neighbours.md", tmp_path)
