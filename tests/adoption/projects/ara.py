"""
ARA records what Ansible did, for clients that write through its DRF API. Each of its tables
inherits from one abstract model, which already has an ``updated`` column of its own.
"""

from ..sources import Source
from . import Project

SETTINGS = "ara/server/settings.py"
MODELS = "ara/api/models.py"
VIEWS = "ara/api/views.py"


def install(source: Source) -> None:
    source.insert_after(SETTINGS, "INSTALLED_APPS = [", '    "etag_versioning",\n')
    source.insert_after(
        SETTINGS, "MIDDLEWARE = [", '    "etag_versioning.middleware.StaleWriteMiddleware",\n'
    )
    source.append(SETTINGS, 'ETAG_VERSIONING = {"STALE_WRITES": "report"}\n')
    # W103: scripts of other origins have to see the tags.
    source.append(SETTINGS, 'CORS_EXPOSE_HEADERS = ["etag", "location"]\n')
    source.append(SETTINGS, "from corsheaders.defaults import default_headers\n\n")
    source.append(
        SETTINGS, 'CORS_ALLOW_HEADERS = [*default_headers, "if-match", "if-none-match"]\n'
    )


def add_columns(source: Source) -> None:
    source.insert_after(
        MODELS,
        "from django.utils import timezone",
        "from etag_versioning.models import VersionedModel, VersionedQuerySet\n",
    )
    source.replace(MODELS, "Base(models.Model)", "Base(VersionedModel)")
    # W001: their querysets' update() would bump no version.
    source.replace(MODELS, "QuerySet(models.QuerySet)", "QuerySet(VersionedQuerySet)")


def tag_views(source: Source) -> None:
    source.insert_after(
        VIEWS,
        "from rest_framework import viewsets",
        "from etag_versioning.rest_framework.mixins import VersionedViewSetMixin\n",
    )
    # The other views show counts of other tables that their queries do not annotate.
    for name in ("LabelViewSet", "PlaybookViewSet"):
        source.replace(
            VIEWS,
            f"class {name}(viewsets.ModelViewSet):\n",
            f"class {name}(VersionedViewSetMixin, viewsets.ModelViewSet):\n"
            '    if_match = "report"\n',
        )


def touch_what_shows_it(source: Source) -> None:
    """A playbook shows the names of its labels. It counts its tasks by annotations."""
    source.insert_after(MODELS, "class Label(Base):", '    touches = ("playbook",)\n')


ARA = Project(
    name="ara",
    version="1.8.0",
    extras=("server",),
    packages=("factory-boy",),
    settings="ara.server.settings",
    settings_file=SETTINGS,
    manage="manage.py",
    rows=(
        ("migrate", "--verbosity=0"),
        ("shell", "-c", "from ara.api.tests.factories import *; ResultFactory(); RecordFactory()"),
    ),
    tests=("-o", "python_files=tests_*.py", "ara"),
    probe="ara/api/tests/tests_adoption.py",
    at_least=200,
    steps={1: install, 2: add_columns, 3: tag_views, 4: touch_what_shows_it},
    environment={"ARA_BASE_DIR": "{source}/data"},
)
