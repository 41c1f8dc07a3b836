"""The views that are written: a plain one, the peers, and this package."""

from concurrency.exceptions import RecordModifiedError
from django.db import transaction
from django.shortcuts import get_object_or_404
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.response import Response
from rest_framework_extensions.etag.mixins import APIRetrieveETAGMixin, APIUpdateETAGMixin

from benchmarks.models import ConcurrentRow, PlainRow, VersionedRow
from benchmarks.serializers import (
    ConcurrentRowSerializer,
    PlainRowSerializer,
    VersionedRowSerializer,
)
from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin, VersionedUpdateMixin


class Plain(RetrieveUpdateAPIView):
    queryset = PlainRow.objects.all()
    serializer_class = PlainRowSerializer


class Locked(Plain):
    """Check a row that nobody else can write meanwhile."""

    def retrieve(self, request, *args, **kwargs):
        row = self.get_object()
        return Response(self.get_serializer(row).data, headers={"ETag": f'"{row.version}"'})

    @transaction.atomic
    def update(self, request, *args, pk, **kwargs):
        row = get_object_or_404(PlainRow.objects.select_for_update(), pk=pk)
        if request.headers.get("If-Match") != f'"{row.version}"':
            return Response(status=412)
        serializer = self.get_serializer(row, data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save(version=row.version + 1)
        return Response(serializer.data, headers={"ETag": f'"{row.version}"'})


class Extensions(APIRetrieveETAGMixin, APIUpdateETAGMixin, Plain):
    pass


class Concurrent(RetrieveUpdateAPIView):
    queryset = ConcurrentRow.objects.all()
    serializer_class = ConcurrentRowSerializer

    def update(self, request, *args, **kwargs):
        try:
            return super().update(request, *args, **kwargs)
        except RecordModifiedError:
            return Response(status=409)


class Versioned(VersionedRetrieveMixin, VersionedUpdateMixin, RetrieveUpdateAPIView):
    queryset = VersionedRow.objects.all()
    serializer_class = VersionedRowSerializer
