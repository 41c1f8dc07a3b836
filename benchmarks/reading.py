"""The views that are read: the floors, plain answers, the peers, and this package."""

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponseNotModified, JsonResponse
from django.shortcuts import aget_object_or_404, get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.http import condition, conditional_page
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_condition import condition as drf_condition
from rest_framework_extensions.etag.mixins import APIRetrieveETAGMixin

from benchmarks.models import Employee
from benchmarks.serializers import EmployeeSerializer
from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.list_validators import max_version_and_count
from etag_versioning.rest_framework.mixins import VersionedListMixin, VersionedRetrieveMixin

EMPLOYEES = Employee.objects.select_related("team", "office", "role")
SQL = "SELECT id, version, updated_at FROM benchmarks_employee WHERE id = %s"


def raw_state(pk):
    with connection.cursor() as cursor:
        cursor.execute(SQL, [pk])
        return cursor.fetchone()


# The floors: no answer from a database can be cheaper.


class AtOnce(APIView):
    def get(self, request, pk):
        return Response(status=304)


class OneStatement(APIView):
    def get(self, request, pk):
        raw_state(pk)
        return Response(status=304)


def one_statement(request, pk):
    raw_state(pk)
    return HttpResponseNotModified()


async def async_one_statement(request, pk):
    await sync_to_async(raw_state)(pk)
    return HttpResponseNotModified()


# Plain answers.


class Detail(RetrieveAPIView):
    queryset = EMPLOYEES
    serializer_class = EmployeeSerializer


class TenantsOwn:
    """Filtered for each request."""

    def get_queryset(self):
        tenant = int(self.request.headers.get("X-Tenant", 1))
        return super().get_queryset().filter(tenant=tenant)


class FilteredDetail(TenantsOwn, Detail):
    pass


class TenantsOnly(BasePermission):
    """Asked about the object, as most real APIs ask."""

    def has_object_permission(self, request, view, obj):
        return obj.tenant == int(request.headers.get("X-Tenant", 1))


class PermittedDetail(Detail):
    permission_classes = (TenantsOnly,)


def detail(request, pk):
    return JsonResponse(EmployeeSerializer(get_object_or_404(EMPLOYEES, pk=pk)).data)


async def async_detail(request, pk):
    return JsonResponse(EmployeeSerializer(await aget_object_or_404(EMPLOYEES, pk=pk)).data)


class ByKey(CursorPagination):
    page_size = 25
    ordering = "pk"


class ByNumber(PageNumberPagination):
    page_size = 25


class CursorList(ListAPIView):
    queryset = EMPLOYEES.order_by("pk")
    serializer_class = EmployeeSerializer
    pagination_class = ByKey


class NumberedList(CursorList):
    pagination_class = ByNumber


# The peers.


def state(pk):
    return Employee.objects.filter(pk=pk).values_list("version", "updated_at").first()


def etag_of(request, pk):
    version, updated_at = state(pk)
    return f'"{pk}-{version}-{updated_at.timestamp()}"'


def date_of(request, pk):
    return state(pk)[1]


@method_decorator(conditional_page, name="dispatch")
class HashedDetail(Detail):
    """As ConditionalGetMiddleware does it."""


@method_decorator(condition(etag_of, date_of), name="dispatch")
class ConditionDetail(Detail):
    """As Django's manual does it."""


class ExtensionsDetail(APIRetrieveETAGMixin, Detail):
    pass


class DrfConditionDetail(Detail):
    @drf_condition(etag_of)
    def get(self, request, *args, **kwargs):
        return super().get(request, *args, **kwargs)


# This package.


class VersionedDetail(VersionedRetrieveMixin, Detail):
    pass


class VersionedFilteredDetail(VersionedRetrieveMixin, FilteredDetail):
    pass


class VersionedPermittedDetail(VersionedRetrieveMixin, PermittedDetail):
    pass


versioned_detail = versioned_condition(Employee)(detail)
versioned_async_detail = versioned_condition(Employee)(async_detail)


class VersionedCursorList(VersionedListMixin, CursorList):
    pass


class VersionedNumberedList(VersionedListMixin, NumberedList):
    pass


class CheapNumberedList(VersionedNumberedList):
    list_validator = max_version_and_count
