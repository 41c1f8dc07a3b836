from adrf.routers import SimpleRouter as AsyncRouter
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from . import views

router = SimpleRouter()
router.register("people", views.PersonViewSet, "person")
router.register("leaves", views.LeafViewSet, "leaf")
router.register("books", views.BookViewSet, "book")
async_router = AsyncRouter()
async_router.register("people", views.AsyncPersonViewSet, "async-person")

urlpatterns = [
    path("plain/people/<int:pk>/", views.person_detail),
    path("async/people/<int:pk>/", views.async_person_detail),
    path("api/", include(router.urls)),
    path("async-api/", include(async_router.urls)),
]
