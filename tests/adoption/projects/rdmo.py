"""
RDMO plans what happens to research data. Its options are edited by several people in a
browser, and imported from files; they have many-to-many fields with and without a model in
between, serializers that write them, object permissions, and exports.
"""

from ..sources import Source
from . import Project

SETTINGS = "rdmo/core/settings.py"
MODELS = "rdmo/options/models.py"
VIEWS = "rdmo/options/viewsets.py"
CONDITIONS = "rdmo/conditions/models.py"
QUESTIONS = "rdmo/questions/models/question.py"
QUESTION_MANAGERS = "rdmo/questions/managers.py"


def install(source: Source) -> None:
    source.insert_after(SETTINGS, "INSTALLED_APPS = [", "    'etag_versioning',\n")
    source.insert_after(
        SETTINGS, "MIDDLEWARE = [", "    'etag_versioning.middleware.StaleWriteMiddleware',\n"
    )
    source.append(SETTINGS, 'ETAG_VERSIONING = {"STALE_WRITES": "report"}\n')


def add_columns(source: Source) -> None:
    source.insert_after(
        MODELS,
        "from django.db import models",
        "from etag_versioning.models import TouchingMixin, VersionedModel\n",
    )
    source.replace(MODELS, "OptionSet(models.Model)", "OptionSet(VersionedModel)")
    source.replace(MODELS, "Option(models.Model, ", "Option(VersionedModel, ")
    # W006: links with a model in between belong to the rows that they link.
    source.replace(
        MODELS,
        "class OptionSetOption(models.Model):\n",
        'class OptionSetOption(TouchingMixin):\n    touches = ("optionset", "option")\n',
    )


def tag_views(source: Source) -> None:
    source.insert_after(
        VIEWS,
        "from rest_framework.viewsets import ModelViewSet",
        "from etag_versioning import etag_extra\n"
        "from etag_versioning.rest_framework.mixins import VersionedViewSetMixin\n",
    )
    # The answers say whether this user may edit the row ("read_only").
    source.replace(
        VIEWS,
        "ViewSet(ModelViewSet):\n",
        "ViewSet(VersionedViewSetMixin, ModelViewSet):\n"
        '    if_match = "report"\n'
        "    def get_etag_extra(self):\n"
        "        return etag_extra.user(self.request)\n\n",
    )


def touch_what_shows_it(source: Source) -> None:
    """
    An option set shows the addresses of its conditions and the keys of its questions, and an
    option the conditions that ask for it.
    """
    source.insert_after(
        CONDITIONS,
        "from django.db import models",
        "from etag_versioning.models import TouchingMixin\n",
    )
    source.replace(
        CONDITIONS,
        "class Condition(models.Model):\n",
        'class Condition(TouchingMixin):\n    touches = ("optionsets", "target_option")\n',
    )
    # W207: the links are a field of the questions.
    source.insert_after(
        QUESTIONS,
        "from django.utils.translation import",
        "from etag_versioning.models import TouchingMixin\n",
    )
    source.replace(
        QUESTIONS,
        "class Question(Model, TranslationMixin):\n",
        'class Question(TouchingMixin, Model, TranslationMixin):\n    touches = ("optionsets",)\n',
    )
    # W001: its update() would touch nothing.
    source.insert_after(
        QUESTION_MANAGERS,
        "from django.db import models",
        "from etag_versioning.models import VersionedQuerySet\n",
    )
    source.edit(
        QUESTION_MANAGERS,
        r"class QuestionQuerySet\(.*\):",
        lambda found: found[0].replace("models.QuerySet", "VersionedQuerySet"),
    )


RDMO = Project(
    name="rdmo",
    version="2.5.2",
    extras=("allauth", "openapi"),
    packages=("pytest-mock",),
    settings="config.settings",
    settings_file=SETTINGS,
    manage="testing/manage.py",
    rows=(("migrate", "--verbosity=0"),),
    tests=("--no-migrations", "rdmo/options"),
    probe="rdmo/options/tests/test_adoption.py",
    at_least=400,
    steps={1: install, 2: add_columns, 3: tag_views, 4: touch_what_shows_it},
)
