from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import DefaultRouter

from example_project.catalogue.api import ProductViewSet
from example_project.directory import views
from example_project.directory.api import UserViewSet

router = DefaultRouter()
router.register("users", UserViewSet)
router.register("products", ProductViewSet)

handler404 = "example_project.content.not_found"

urlpatterns = [
    path("", views.two_editors),
    path("users/<int:user_id>/", views.user_detail),
    path("async/users/<int:user_id>/", views.async_user_detail),
    path("django/users/<int:user_id>/", views.django_user_detail),
    path("files/<path:name>", views.download),
    path("about/", views.about),
    path("stats/", views.stats),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(), name="docs"),
    path("api/", include(router.urls)),
    # No other server stands in front of this one.
    path("static/<path:path>", serve, {"insecure": True}),
]
