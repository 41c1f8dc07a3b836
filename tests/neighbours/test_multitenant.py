"""django-multitenant: the tenant stands in every SELECT, UPDATE and DELETE."""

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django_multitenant.fields import TenantForeignKey
from django_multitenant.models import TenantManager, TenantModel
from django_multitenant.utils import set_current_tenant, unset_current_tenant
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel, versioned_manager
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Store(TenantModel):
    name = models.CharField(max_length=50)

    class TenantMeta:
        tenant_field_name = "id"


class Product(VersionedModel, TenantModel):
    store = models.ForeignKey(Store, models.CASCADE)
    name = models.CharField(max_length=50)

    class TenantMeta:
        tenant_field_name = "store_id"


class Purchase(TenantModel, VersionedModel):
    store = models.ForeignKey(Store, models.CASCADE)
    name = models.CharField(max_length=50)

    objects = versioned_manager(TenantManager())

    class TenantMeta:
        tenant_field_name = "store_id"


class Review(VersionedModel, TenantModel):
    touches = ("product",)

    store = models.ForeignKey(Store, models.CASCADE)
    product = TenantForeignKey(Product, models.CASCADE)

    class TenantMeta:
        tenant_field_name = "store_id"


class ProductSerializer(ModelSerializer):
    class Meta:
        model = Product
        fields = ("id", "name")


class ProductViewSet(VersionedModelViewSet):
    serializer_class = ProductSerializer

    def get_queryset(self):
        return Product.objects.all()


router = SimpleRouter()
router.register("products", ProductViewSet, basename="product")
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize("model", [Product, Purchase])


@pytest.fixture
def other_store():
    return Store.objects.create(name="other")


@pytest.fixture
def store(other_store):
    store = Store.objects.create(name="one")
    set_current_tenant(store)
    yield store
    unset_current_tenant()


def statements(queries, verb):
    return [query["sql"] for query in queries if query["sql"].startswith(verb)]


@both_orders
def test_a_save_bumps_once_and_names_the_tenant_in_its_update(store, model):
    row = model.objects.create(store=store, name="one")
    row.name = "two"
    with CaptureQueriesContext(connection) as queries:
        row.save()
    (update,) = statements(queries, "UPDATE")
    where = update.partition("WHERE")[2]
    assert "store_id" in where
    assert "version" in where
    assert model.objects.get().version == 2


@both_orders
def test_a_stale_save_raises_and_changes_nothing(store, model):
    row = model.objects.create(store=store, name="one")
    model.objects.update(name="two")
    row.name = "three"
    with pytest.raises(StaleWriteError):
        row.save()
    found = model.objects.get()
    assert (found.name, found.version) == ("two", 2)


@both_orders
def test_a_delete_names_the_tenant(store, model):
    row = model.objects.create(store=store, name="one")
    with CaptureQueriesContext(connection) as queries:
        row.delete()
    deletes = statements(queries, "DELETE")
    assert all("store_id" in delete.partition("WHERE")[2] for delete in deletes)
    assert not model.objects.exists()


@both_orders
def test_a_stale_delete_raises_and_deletes_nothing(store, model):
    row = model.objects.create(store=store, name="one")
    model.objects.update(name="two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert model.objects.exists()


@both_orders
def test_update_of_a_queryset_leaves_rows_of_other_tenants(store, other_store, model):
    model.objects.create(store=store, name="one")
    foreign = model(store=other_store, name="foreign")
    foreign.save()
    assert model.objects.update(name="new") == 1
    set_current_tenant(other_store)
    found = model.objects.get()
    assert (found.name, found.version) == ("foreign", 1)


@both_orders
def test_bulk_update_bumps_each_row_once(store, model):
    rows = [model.objects.create(store=store, name=name) for name in ("one", "two")]
    for row in rows:
        row.name = "new"
    model.objects.bulk_update(rows, ["name"])
    assert list(model.objects.values_list("name", "version")) == [("new", 2), ("new", 2)]


@both_orders
def test_bulk_create_gives_new_rows_the_current_tenant(store, model):
    model.objects.bulk_create([model(name="one"), model(name="two")])
    assert list(model.objects.values_list("store_id", "version")) == [(store.pk, 1)] * 2


def test_a_review_touches_its_product(store):
    product = Product.objects.create(store=store, name="one")
    review = Review.objects.create(store=store, product=product)
    review.delete()
    assert Product.objects.get().version == 3


def test_a_store_is_deleted_with_its_products(store):
    Product.objects.create(store=store, name="one")
    store.delete()
    unset_current_tenant()
    assert not Product.objects.exists()


def test_a_product_of_another_tenant_is_404_with_any_tag(store, other_store):
    product = Product.objects.create(store=store, name="one")
    client = APIClient()
    tag = client.get(f"/products/{product.pk}/")["ETag"]
    set_current_tenant(other_store)
    assert client.get(f"/products/{product.pk}/", headers={"if-none-match": tag}).status_code == 404
    response = client.patch(f"/products/{product.pk}/", {"name": "two"}, headers={"if-match": tag})
    assert response.status_code == 404


def test_a_patch_with_a_stale_tag_is_412(store):
    product = Product.objects.create(store=store, name="one")
    client = APIClient()
    tag = client.get(f"/products/{product.pk}/")["ETag"]
    first = client.patch(f"/products/{product.pk}/", {"name": "two"}, headers={"if-match": tag})
    second = client.patch(f"/products/{product.pk}/", {"name": "three"}, headers={"if-match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert Product.objects.get().name == "two"
