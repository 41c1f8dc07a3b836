"""The audit leaves the database, the caches and the client as they were."""

import logging

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, TestCase
from django.urls import path

from etag_versioning.audit import AuditError, audit_address
from etag_versioning.audit.isolation import NotTransactional, leaving_nothing
from etag_versioning.decorators import versioned_condition
from etag_versioning.testing import assert_honest_etag
from tests.audit import models
from tests.audit.models import Banner, Keyword, Recipe, Step

ALL = [
    models.Banner,
    models.Country,
    models.Food,
    models.Keyword,
    models.Kitchen,
    models.Menu,
    models.Note,
    models.Nutrition,
    models.Photo,
    models.Portion,
    models.Rating,
    models.Recipe,
    models.Recipe.keywords.through,
    models.Step,
    models.Tariff,
]


def everything():
    return {model: list(model.objects.order_by("pk").values()) for model in ALL}


def text_of(recipe):
    parts = [recipe.title, recipe.kitchen.country.name]
    parts += [step.text for step in recipe.steps.all()]
    parts += [keyword.name for keyword in recipe.keywords.all()]
    parts += [portion.food.name for portion in recipe.portions.all()]
    return " ".join(parts)


@versioned_condition(Recipe)
def recipe_page(request, pk):
    return HttpResponse(text_of(Recipe.objects.get(pk=pk)))


@versioned_condition(Recipe)
def page_that_writes(request, pk):
    Banner.objects.create(text="somebody was here")
    send_mail("Seen", "", None, ["owner@example.com"])
    transaction.on_commit(lambda: cache.set("seen", pk))
    cache.set("visits", cache.get("visits", 0) + 1)
    first = "seen" not in request.COOKIES and Banner.objects.count() == 2
    response = HttpResponse(text_of(Recipe.objects.get(pk=pk)) if first else "again")
    response.set_cookie("seen", "yes")
    return response


@versioned_condition(Recipe)
def cached_page(request, pk):
    recipe = Recipe.objects.get(pk=pk)
    return HttpResponse(cache.get_or_set(f"text-{pk}", lambda: text_of(recipe)))


@versioned_condition(Recipe)
def streamed_page(request, pk):
    steps = Step.objects.filter(recipe_id=pk)
    return StreamingHttpResponse(step.text for step in steps.iterator())


@versioned_condition(Recipe)
async def async_page(request, pk):
    return HttpResponse([step.text async for step in Step.objects.filter(recipe_id=pk)])


@versioned_condition(Recipe)
def failing_page(request, pk):
    recipe = Recipe.objects.get(pk=pk)
    if recipe.kitchen.name != "Basque":
        raise RuntimeError(recipe.kitchen.name)
    return HttpResponse(recipe.title)


urlpatterns = [
    path("page/<int:pk>/", recipe_page),
    path("writes/<int:pk>/", page_that_writes),
    path("cached/<int:pk>/", cached_page),
    path("streamed/<int:pk>/", streamed_page),
    path("async/<int:pk>/", async_page),
    path("failing/<int:pk>/", failing_page),
    path("untagged/", lambda request: HttpResponse("")),
]

pytestmark = pytest.mark.urls(__name__)


@pytest.mark.django_db
def test_every_row_is_as_before(client, recipe):
    before = everything()
    assert not audit_address(client, f"/page/{recipe.pk}/").is_honest
    assert everything() == before


@pytest.mark.django_db(transaction=True)
def test_every_row_is_as_before_without_a_test_around_it(client, recipe):
    before = everything()
    assert not audit_address(client, f"/page/{recipe.pk}/").is_honest
    assert everything() == before
    assert not connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_every_row_is_as_before_where_the_audit_breaks_off(client, recipe, monkeypatch):
    before = everything()

    def change_and_fail(*args):
        Keyword.objects.all().delete()
        raise RuntimeError

    monkeypatch.setattr("etag_versioning.audit.engine._change_rows", change_and_fail)
    with pytest.raises(RuntimeError):
        audit_address(client, f"/page/{recipe.pk}/")
    assert everything() == before


@pytest.mark.django_db(transaction=True)
def test_a_login_is_undone(client, recipe, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    audit_address(client, f"/page/{recipe.pk}/", users=[recipe.owner])
    assert User.objects.get().last_login is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [True, False])
def test_what_a_view_writes_is_undone(client, recipe, monkeypatch, atomic):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
    before = everything()
    cache.set("visits", 7)
    report = audit_address(client, f"/writes/{recipe.pk}/")
    assert not report.variations
    assert everything() == before
    assert cache.get("visits") == 7
    assert cache.get("seen") is None
    assert mail.outbox == []
    assert not client.cookies


@pytest.mark.django_db
def test_each_row_is_changed_where_the_project_caches_texts(client, recipe):
    report = audit_address(client, f"/cached/{recipe.pk}/")
    assert {model.label for model in report.models if model.lies} == {
        "audit.Kitchen",
        "audit.Country",
        "audit.Step",
        "audit.Keyword",
        "audit.Food",
        "audit.Portion",
    }


@pytest.mark.django_db
def test_content_types_are_read_again(client, recipe):
    kept = ContentType.objects.get_for_model(Recipe)
    audit_address(client, f"/page/{recipe.pk}/")
    assert ContentType.objects.get_for_model(Recipe) is not kept


@pytest.mark.django_db
def test_the_projects_signals_run(client, recipe):
    saved = []

    def note(sender, instance, **kwargs):
        saved.append(sender)

    post_save.connect(note)
    try:
        audit_address(client, f"/page/{recipe.pk}/")
    finally:
        post_save.disconnect(note)
    assert {Recipe, Step, Keyword} <= set(saved)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["streamed", "async"])
def test_other_kinds_of_answers(client, recipe, kind):
    report = audit_address(client, f"/{kind}/{recipe.pk}/")
    (step,) = [model for model in report.models if model.label == "audit.Step"]
    assert "text" in step.lying


@pytest.mark.django_db
def test_a_change_after_which_the_view_fails_is_no_verdict(client, recipe, caplog):
    report = audit_address(client, f"/failing/{recipe.pk}/")
    (kitchen,) = [model for model in report.models if model.label == "audit.Kitchen"]
    assert kitchen.skipped["name"] == "the answer was 500"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.django_db
def test_a_change_that_a_model_refuses_is_told(client, recipe, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise ValueError("Steps are carved in stone.")

    monkeypatch.setattr(Step, "save", refuse)
    report = audit_address(client, f"/page/{recipe.pk}/")
    (step,) = [model for model in report.models if model.label == "audit.Step"]
    assert step.skipped["text"] == "ValueError: Steps are carved in stone."
    reason = "recipe, text, a new row (ValueError: Steps are carved in stone.)"
    assert f"not tried: {reason}" in report.text()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/page/0/", "was answered 404. Name an address that is there."),
        ("/untagged/", "was answered without an ETag."),
    ],
)
def test_an_address_that_cannot_be_audited(client, url, message):
    with pytest.raises(AuditError, match=message):
        audit_address(client, url)
    with pytest.raises(AssertionError, match=message):
        assert_honest_etag(client, url)


@pytest.mark.django_db
def test_an_address_whose_tag_is_never_current(client, serve):
    tags = iter(range(1000))

    def view(request):
        return HttpResponse("", headers={"ETag": f'"{next(tags)}"'})

    serve(path("new/", view))
    with pytest.raises(AuditError, match="no client ever gets a 304"):
        audit_address(client, "/new/")


@pytest.mark.django_db
def test_the_number_of_rows_is_bounded(client, recipe):
    for number in range(20):
        Step.objects.create(recipe=recipe, text=str(number))
    report = audit_address(client, f"/page/{recipe.pk}/", rows=3)
    (step,) = [model for model in report.models if model.label == "audit.Step"]
    assert step.rows == 3


@pytest.mark.django_db
def test_a_database_that_a_test_may_not_use_is_left_alone(recipe):
    with leaving_nothing() as aliases:
        assert aliases == ["default"]


@pytest.mark.django_db(databases=["default", "other"])
def test_rows_of_two_databases(client, recipe, serve):
    Banner.objects.using("other").create(text="elsewhere")

    @versioned_condition(Recipe)
    def page(request, pk):
        return HttpResponse(Banner.objects.using("other").get().text)

    serve(path("page/<int:pk>/", page))
    report = audit_address(client, f"/page/{recipe.pk}/")
    (banner,) = [model for model in report.models if model.label == "audit.Banner"]
    assert (banner.label, banner.alias, banner.verdict) == ("audit.Banner", "other", "NO")
    assert Banner.objects.using("other").get().text == "elsewhere"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'mysql'")
def test_a_table_without_transactions_is_refused(client, recipe):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_banner ENGINE=MyISAM")
    try:
        with pytest.raises(NotTransactional, match="ALTER TABLE audit_banner ENGINE=InnoDB"):
            audit_address(client, f"/page/{recipe.pk}/")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_banner ENGINE=InnoDB")


class DjangosTestCase(TestCase):
    def test_the_helper_works_in_it(self):
        banner = Banner.objects.create(text="Hello")
        kitchen = models.Kitchen.objects.create(
            name="Basque", country=models.Country.objects.create(name="Spain")
        )
        recipe = Recipe.objects.create(title="Paella", kitchen=kitchen)
        with self.assertRaisesMessage(AssertionError, "audit.Country changed"):
            assert_honest_etag(self.client, f"/page/{recipe.pk}/")
        assert list(Banner.objects.all()) == [banner]

    def test_another_client(self):
        with self.assertRaisesMessage(AssertionError, "was answered 404"):
            assert_honest_etag(Client(), "/page/0/")


@pytest.mark.django_db
def test_the_fixture_takes_pytest_djangos_client(honest_etag, recipe):
    with pytest.raises(AssertionError, match=r"audit\.Country changed"):
        honest_etag(f"/page/{recipe.pk}/")
