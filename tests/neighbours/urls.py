"""The admin, for the apps that extend it. A test module with views of its own names itself."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
