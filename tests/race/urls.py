from django.urls import path

from example_project.urls import urlpatterns as example_urlpatterns

from .views import naive_user

urlpatterns = [*example_urlpatterns, path("naive/users/<int:user_id>/", naive_user)]
