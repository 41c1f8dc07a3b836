from django.urls import include, path
from rest_framework.routers import DefaultRouter

from example_project.catalogue.api import ProductViewSet
from example_project.directory import views
from example_project.directory.api import UserViewSet

router = DefaultRouter()
router.register("users", UserViewSet)
router.register("products", ProductViewSet)

urlpatterns = [
    path("users/<int:user_id>/", views.user_detail),
    path("async/users/<int:user_id>/", views.async_user_detail),
    path("django/users/<int:user_id>/", views.django_user_detail),
    path("files/<path:name>", views.download),
    path("about/", views.about),
    path("stats/", views.stats),
    path("api/", include(router.urls)),
]
