from django.urls import path

from example_project.catalogue.api import ProductViewSet
from example_project.urls import urlpatterns as example_urlpatterns

brief_product = ProductViewSet.as_view(
    {"get": "retrieve", "put": "update", "patch": "partial_update"},
    cache_control={"public": True, "max_age": 1},
)

lasting_product = ProductViewSet.as_view(
    {"get": "retrieve", "put": "update", "patch": "partial_update"},
    cache_control={"public": True, "max_age": 300, "stale_while_revalidate": 60},
)

urlpatterns = [
    path("brief/products/<int:pk>/", brief_product),
    path("api/products/<int:pk>/", lasting_product),
    *example_urlpatterns,
]
