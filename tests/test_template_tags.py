"""What templates are given of a row's state."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template
from django.utils.functional import SimpleLazyObject

from tests.testapp.models import Hidden, Person

pytestmark = pytest.mark.django_db


def rendered(source, **context):
    return Template("{% load cache etag_versioning %}" + source).render(Context(context))


def test_the_tag_is_what_a_client_sends_as_if_match():
    person = Person.objects.create(name="Grace")
    page = rendered('<p data-etag="{% etag person %}">', person=person)
    assert page.startswith(f'<p data-etag="&quot;person-{person.pk}-v1.')
    assert page.endswith('&quot;">')


def test_the_tag_hides_the_key_where_the_model_does():
    hidden = Hidden.objects.create(name="a")
    assert f"secret-{hidden.uuid}-v1" in rendered("{% etag hidden %}", hidden=hidden)


def test_a_lazy_instance_as_the_user_of_a_page_has_the_same_tag_and_key():
    person = Person.objects.create(name="Grace")
    source = "{% etag person %} {{ person|state_key }}"
    assert rendered(source, person=SimpleLazyObject(Person.objects.get)) == rendered(
        source, person=person
    )


@pytest.mark.parametrize("source", ["{% etag person %}", "{{ person|state_key }}"])
@pytest.mark.parametrize("context", [{}, {"person": None}])
def test_a_variable_without_an_instance_is_named_by_the_error(source, context):
    with pytest.raises(ImproperlyConfigured, match="is the variable in the template's context"):
        rendered(source, **context)


def test_a_cached_fragment_is_made_again_after_a_write(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    source = "{% cache 60 profile person|state_key %}{{ shown }}{% endcache %}"
    person = Person.objects.create(name="Grace")
    assert rendered(source, person=person, shown="first") == "first"
    assert rendered(source, person=person, shown="second") == "first"
    person.save()
    assert rendered(source, person=person, shown="third") == "third"
