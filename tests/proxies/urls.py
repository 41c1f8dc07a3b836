from django.urls import path

from etag_versioning.decorators import versioned_condition
from example_project.catalogue.api import ProductViewSet
from example_project.directory.models import User
from example_project.directory.views import METHODS, user_detail
from example_project.urls import urlpatterns as example_urlpatterns


def product(**attributes):
    actions = {"get": "retrieve", "put": "update", "patch": "partial_update"}
    return ProductViewSet.as_view(actions, **attributes)


BRIEF = {"public": True, "max_age": 1}
LASTING = {"public": True, "max_age": 300, "stale_while_revalidate": 60}

kept_user = versioned_condition(
    User,
    lookup_url_kwarg="user_id",
    methods=METHODS,
    cache_control={"private": True, "max_age": 60},
)

urlpatterns = [
    path("brief/products/<int:pk>/", product(cache_control=BRIEF)),
    path("dated/products/<int:pk>/", product(cache_control=BRIEF, last_modified=True)),
    path("api/products/<int:pk>/", product(cache_control=LASTING)),
    path("kept/users/<int:user_id>/", kept_user(user_detail.__wrapped__)),
    *example_urlpatterns,
]
