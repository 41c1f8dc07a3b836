import re
import sys
from types import ModuleType

import pytest
from django.contrib.auth.models import User
from django.db.models.signals import m2m_changed, pre_delete
from django.urls import clear_url_caches

from etag_versioning.pytest_plugin import honest_etag as honest_etag
from etag_versioning.touching import paths, receivers
from tests.audit.models import (
    Banner,
    Country,
    Food,
    Keyword,
    Kitchen,
    Menu,
    Note,
    Nutrition,
    Photo,
    Portion,
    Rating,
    Recipe,
    Step,
    Tariff,
    Tool,
)


@pytest.fixture
def recipe(db):
    """A recipe with one or two rows of all that it may show."""
    spain, italy = (Country.objects.create(name=name) for name in ("Spain", "Italy"))
    kitchen = Kitchen.objects.create(name="Basque", country=spain)
    Kitchen.objects.create(name="Tuscan", country=italy)
    owner = User.objects.create_user("olga", first_name="Olga")
    base = Recipe.objects.create(title="Rice", kitchen=kitchen)
    recipe = Recipe.objects.create(title="Paella", kitchen=kitchen, based_on=base, owner=owner)
    recipe.keywords.set([Keyword.objects.create(name=name) for name in ("rice", "fish")])
    Keyword.objects.create(name="quick")
    for name in ("rice", "squid"):
        Portion.objects.create(recipe=recipe, food=Food.objects.create(name=name))
    Food.objects.create(name="salt")
    Nutrition.objects.create(recipe=recipe, calories=450)
    step = Step.objects.create(recipe=recipe, text="Fry")
    step.tools.add(Tool.objects.create(name="pan"))
    Tool.objects.create(name="pot")
    Photo.objects.create(step=step, caption="Hot", facts={"width": 640})
    Rating.objects.create(recipe=recipe, stars=5)
    Note.objects.create(about=recipe, text="Tasty")
    Menu.objects.create(name="Lunch").recipes.add(recipe)
    Banner.objects.create(text="Welcome")
    Tariff.objects.create(percent=7)
    recipe.refresh_from_db()
    return recipe


@pytest.fixture
def serve(settings, monkeypatch):
    """A function that puts routes in the place of the project's."""

    def use(*routes):
        module = ModuleType("urls_of_one_test")
        module.urlpatterns = list(routes)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        settings.ROOT_URLCONF = module.__name__
        clear_url_caches()

    return use


@pytest.fixture
def add_line(monkeypatch):
    """
    A function that adds a line to the body of a model's class, as an editor would.

    What a project does by starting again is done here: paths are found once for each process.
    """
    changed = []

    def add(model, line):
        body = {}
        exec(line, body)
        for name in body.keys() - {"__builtins__"}:
            monkeypatch.setattr(model, name, body[name], raising=False)
        _start_again(model)
        changed.append(model)

    yield add
    monkeypatch.undo()
    for model in changed:
        pre_delete.disconnect(receivers.touch_before_deletion, sender=model)
        m2m_changed.disconnect(receivers._note_instance, sender=model)
        for field in _many_to_many(model):
            uid = f"{field.model._meta.label}.{field.name}"
            m2m_changed.disconnect(sender=field.remote_field.through, dispatch_uid=uid)
        _start_again(model)


def _start_again(model):
    paths.touches_of.cache_clear()
    paths.links_to.cache_clear()
    receivers.connect([model, *{field.model for field in _many_to_many(model)}])


def _many_to_many(model):
    return [
        *model._meta.local_many_to_many,
        *(relation.field for relation in model._meta.related_objects if relation.many_to_many),
    ]


@pytest.fixture
def failure_of():
    """A function that returns the message of an assertion that has to fail."""

    def run(function, *args, **kwargs):
        with pytest.raises(AssertionError) as failure:
            function(*args, **kwargs)
        return str(failure.value)

    return run


@pytest.fixture
def suggested():
    """A function that returns the code that a message suggests for a model or a view."""

    def find(message, where):
        found = re.search(rf"^In {re.escape(where)}.*:\n((?:    .*\n?)+)", message, re.MULTILINE)
        assert found, message
        return re.sub("^    ", "", found[1], flags=re.MULTILINE).rstrip()

    return find
