"""django-guardian: permissions on single rows come before tags."""

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import include, path
from guardian.models import UserObjectPermissionBase
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm
from rest_framework.permissions import DjangoObjectPermissions
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning.models import TouchingMixin, VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Project(VersionedModel):
    name = models.CharField(max_length=50)


class Plan(VersionedModel):
    """Shows who may see it, so its permissions touch it."""

    name = models.CharField(max_length=50)


class PlanUserPermission(TouchingMixin, UserObjectPermissionBase):
    touches = ("content_object",)

    content_object = models.ForeignKey(Plan, models.CASCADE)


class ProjectSerializer(ModelSerializer):
    class Meta:
        model = Project
        fields = ("id", "name")


class OwnProjectsViewSet(VersionedModelViewSet):
    serializer_class = ProjectSerializer

    def get_queryset(self):
        return get_objects_for_user(self.request.user, "test_guardian.view_project", Project)


class ProjectViewSet(VersionedModelViewSet):
    queryset = Project.objects.all()
    serializer_class = ProjectSerializer
    permission_classes = [DjangoObjectPermissions]


router = SimpleRouter()
router.register("own", OwnProjectsViewSet, basename="own")
router.register("projects", ProjectViewSet)
urlpatterns = [path("", include(router.urls))]


@pytest.fixture
def ada():
    return User.objects.create_user("ada")


@pytest.fixture(autouse=True)
def permissions():
    for model, verb in ((Project, "view"), (Project, "change"), (Plan, "view")):
        Permission.objects.create(
            codename=f"{verb}_{model._meta.model_name}",
            content_type=ContentType.objects.get_for_model(model),
        )


def signed_in(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_a_permission_leaves_the_version_of_its_row(ada):
    project = Project.objects.create(name="one")
    assign_perm("view_project", ada, project)
    assert Project.objects.get().version == 1
    assert ada.has_perm("view_project", project)


def test_a_row_is_304_to_who_may_see_it_and_404_to_who_may_not(ada):
    project = Project.objects.create(name="one")
    assign_perm("view_project", ada, project)
    client, address = signed_in(ada), f"/own/{project.pk}/"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    remove_perm("view_project", ada, project)
    assert client.get(address, headers={"if-none-match": tag}).status_code == 404


def test_a_list_has_another_tag_when_a_permission_is_taken_away(ada):
    project = Project.objects.create(name="one")
    assign_perm("view_project", ada, project)
    client = signed_in(ada)
    tag = client.get("/own/")["ETag"]
    assert client.get("/own/", headers={"if-none-match": tag}).status_code == 304
    remove_perm("view_project", ada, project)
    response = client.get("/own/", headers={"if-none-match": tag})
    assert (response.status_code, response.json()) == (200, [])


def test_a_patch_without_permission_is_refused_with_any_tag(ada):
    project = Project.objects.create(name="one")
    assign_perm("view_project", ada, project)
    client, address = signed_in(ada), f"/projects/{project.pk}/"
    tag = client.get(address)["ETag"]
    for given in (tag, '"stale"'):
        response = client.patch(address, {"name": "two"}, headers={"if-match": given})
        assert response.status_code in (403, 404)
    assert Project.objects.get().name == "one"


def test_a_patch_with_permission_is_compared(ada):
    project = Project.objects.create(name="one")
    assign_perm("view_project", ada, project)
    for row in (project, None):  # Django REST framework asks for both.
        assign_perm("test_guardian.change_project", ada, row)
    client, address = signed_in(User.objects.get(username="ada")), f"/projects/{project.pk}/"
    tag = client.get(address)["ETag"]
    first = client.patch(address, {"name": "two"}, headers={"if-match": tag})
    second = client.patch(address, {"name": "three"}, headers={"if-match": tag})
    assert (first.status_code, second.status_code) == (200, 412)


def test_a_permission_with_a_foreign_key_can_touch_its_row(ada):
    plan = Plan.objects.create(name="one")
    assign_perm("view_plan", ada, plan)
    assert Plan.objects.get().version == 2
    remove_perm("view_plan", ada, plan)
    assert Plan.objects.get().version == 3


def test_a_row_is_deleted_with_its_permissions(ada):
    plan = Plan.objects.create(name="one")
    assign_perm("view_plan", ada, plan)
    Plan.objects.get().delete()
    assert not PlanUserPermission.objects.exists()
