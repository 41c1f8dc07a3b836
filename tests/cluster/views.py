"""What the writers of the cluster write, through plain, async and DRF views."""

import json

from adrf.serializers import ModelSerializer as AsyncModelSerializer
from adrf.viewsets import ModelViewSet as AsyncModelViewSet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import aget_object_or_404, get_object_or_404
from rest_framework import serializers

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin
from etag_versioning.rest_framework.bulk.mixins import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Book, Leaf, Person


def shown(person):
    return {"id": person.pk, "name": person.name, "days": person.days}


@versioned_condition(Person, allow_create=True)
def person_detail(request, pk):
    if request.method == "DELETE":
        get_object_or_404(Person, pk=pk).delete()
        return HttpResponse(status=204)
    if request.method in ("PUT", "PATCH"):
        return write(request, pk)
    return JsonResponse(shown(get_object_or_404(Person, pk=pk)))


def write(request, pk):
    person = Person.objects.filter(pk=pk).first()
    status = 201 if person is None else 200
    person = person or Person(pk=pk)
    for name, value in json.loads(request.body).items():
        setattr(person, name, value)
    person.save(force_insert=status == 201)
    return JsonResponse(shown(person), status=status)


@versioned_condition(Person, allow_create=True)
async def async_person_detail(request, pk):
    if request.method == "DELETE":
        person = await aget_object_or_404(Person, pk=pk)
        await person.adelete()
        return HttpResponse(status=204)
    if request.method in ("PUT", "PATCH"):
        return await async_write(request, pk)
    return JsonResponse(shown(await aget_object_or_404(Person, pk=pk)))


async def async_write(request, pk):
    person = await Person.objects.filter(pk=pk).afirst()
    status = 201 if person is None else 200
    person = person or Person(pk=pk)
    for name, value in json.loads(request.body).items():
        setattr(person, name, value)
    await person.asave(force_insert=status == 201)
    return JsonResponse(shown(person), status=status)


class PersonSerializer(serializers.ModelSerializer):
    etag = ETagField()

    class Meta:
        model = Person
        fields = ("id", "name", "days", "etag")


class PersonViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    allow_create = True


class LeafSerializer(serializers.ModelSerializer):
    class Meta:
        model = Leaf
        fields = ("id", "name", "number", "book")


class LeafViewSet(VersionedModelViewSet):
    """A write of a leaf bumps its book, too."""

    queryset = Leaf.objects.order_by("id")
    serializer_class = LeafSerializer


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ("id", "name", "version")


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("id")
    serializer_class = BookSerializer


class AsyncPersonSerializer(AsyncModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class AsyncPersonViewSet(AsyncVersionedViewSetMixin, AsyncModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = AsyncPersonSerializer
