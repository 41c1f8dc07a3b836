"""What only decorates a handler, and what may do more: by the handler's code."""

import functools
import types

import pytest
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.vary import vary_on_headers
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, viewsets
from rest_framework.response import Response

from etag_versioning.rest_framework.handler_code import handler_code

RETRIEVE = mixins.RetrieveModelMixin.retrieve
LIST = mixins.ListModelMixin.list


def code_of(view_class, name="retrieve"):
    return handler_code(view_class, getattr(view_class, name))


def renamed(handler):
    @functools.wraps(handler)
    def wrapper(*args, **kwargs):
        return handler(*args, **kwargs)

    return wrapper


def test_drfs_methods_are_drfs_own():
    assert code_of(viewsets.ModelViewSet).function is RETRIEVE
    assert code_of(viewsets.ModelViewSet, "list").function is LIST


@pytest.mark.parametrize(
    ("view", "function"),
    [
        (generics.RetrieveAPIView, RETRIEVE),
        (generics.RetrieveUpdateAPIView, RETRIEVE),
        (generics.RetrieveDestroyAPIView, RETRIEVE),
        (generics.RetrieveUpdateDestroyAPIView, RETRIEVE),
        (generics.ListAPIView, LIST),
        (generics.ListCreateAPIView, LIST),
    ],
)
def test_the_get_of_a_generic_view_passes_on(view, function):
    assert code_of(view, "get").function is function


def test_a_method_that_only_calls_super_passes_on():
    class View(viewsets.ModelViewSet):
        def retrieve(self, request, pk=None, *, format=None, **kwargs):
            """Docs."""
            return super().retrieve(request, pk=pk, format=format, **kwargs)

    class Below(View):
        def retrieve(self, *args):
            return super().retrieve(*args)

    assert code_of(View).function is RETRIEVE
    assert code_of(Below).function is RETRIEVE


def test_super_is_the_next_class_of_the_view_and_not_of_the_method():
    class Passing(viewsets.GenericViewSet):
        def retrieve(self, request):
            return super().retrieve(request)

    class Own:
        def retrieve(self, request):
            return Response({})

    class View(Passing, Own, mixins.RetrieveModelMixin):
        pass

    assert code_of(View).function is Own.retrieve


counted = []


class OtherMethod(viewsets.ModelViewSet):
    def retrieve(self, request, *args, **kwargs):
        return super().list(request, *args, **kwargs)


class Attribute(viewsets.ModelViewSet):
    def retrieve(self, request, *args, **kwargs):
        return super().retrieve(request, *args, **kwargs).data


class Constant(viewsets.ModelViewSet):
    def retrieve(self, request, *args, **kwargs):
        return super().retrieve(request, "1")


class Global(viewsets.ModelViewSet):
    def retrieve(self, request, *args, **kwargs):
        counted.append(request)
        return super().retrieve(request, *args, **kwargs)


class Variable(viewsets.ModelViewSet):
    def retrieve(self, request, *args, **kwargs):
        response = super().retrieve(request, *args, **kwargs)
        return response


def noting(note):
    class Closure(viewsets.ModelViewSet):
        def retrieve(self, request, *args, **kwargs):
            note(request)
            return super().retrieve(request, *args, **kwargs)

    return Closure


class Nested(viewsets.ModelViewSet):
    def retrieve(self, request, *args, **kwargs):
        return super().retrieve(request, *[not each for each in args], **kwargs)


class Hidden(viewsets.ModelViewSet):
    """A decorator of the project's own around a method that passes on."""

    @renamed
    def retrieve(self, request, *args, **kwargs):
        return super().retrieve(request, *args, **kwargs)


@pytest.mark.parametrize(
    "view", [OtherMethod, Attribute, Constant, Global, Variable, noting(print), Nested, Hidden]
)
def test_a_method_that_does_more_is_the_projects(view):
    assert code_of(view).function is view.retrieve


def test_a_get_that_does_more_is_the_projects():
    class View(generics.RetrieveAPIView):
        def get(self, request, pk):
            return self.retrieve(request, pk, format="json")

    assert code_of(View, "get").function is View.get


def test_the_wrappers_of_a_schema_are_looked_through():
    @extend_schema_view(retrieve=extend_schema(summary="One"))
    class Base(viewsets.ModelViewSet):
        pass

    @extend_schema_view(retrieve=[extend_schema(summary="1"), extend_schema(summary="2")])
    class View(Base):
        pass

    assert View.retrieve is not Base.retrieve is not RETRIEVE
    assert code_of(View).function is RETRIEVE


def test_djangos_decorators_are_looked_through_and_kept():
    vary = vary_on_headers("X-Kitchen")

    @method_decorator([vary, never_cache], name="retrieve")
    class Base(viewsets.ModelViewSet):
        pass

    @extend_schema_view(retrieve=extend_schema(summary="One"))
    class View(Base):
        @method_decorator(never_cache)
        def list(self, request):
            return super().list(request)

    assert code_of(View) == (RETRIEVE, (vary, never_cache))
    assert code_of(View, "list") == (LIST, (never_cache,))


def test_a_decorator_of_drf_yasg_holds_a_schema_too():
    # As swagger_auto_schema() does, of a package that is not installed.
    module = types.ModuleType("drf_yasg.utils")
    exec("def decorator(view):\n    view.swagger = {}\n    return view", vars(module))

    @method_decorator(module.decorator, name="retrieve")
    class View(viewsets.ModelViewSet):
        pass

    assert code_of(View) == (RETRIEVE, ())


@pytest.mark.parametrize("decorator", [cache_page(60), renamed, [never_cache, renamed]])
def test_other_decorators_are_the_projects_code(decorator):
    @method_decorator(decorator, name="retrieve")
    class View(viewsets.ModelViewSet):
        pass

    assert code_of(View).function is View.retrieve


def test_what_is_no_function_is_the_projects_code():
    class View(viewsets.ModelViewSet):
        retrieve = functools.partialmethod(viewsets.ModelViewSet.retrieve)

    assert code_of(View).function is not RETRIEVE


def retrieve(request, pk):
    return Response({})


def test_a_get_that_calls_a_function_of_its_module_is_the_projects():
    class View(generics.RetrieveAPIView):
        def get(self, request, pk):
            return retrieve(request, pk)

    assert code_of(View, "get").function is View.get


def test_a_get_that_calls_a_method_of_another_argument_is_the_projects():
    class View(generics.RetrieveAPIView):
        def get(self, request, service):
            return service.retrieve(request)

    assert code_of(View, "get").function is View.get


def test_a_get_that_calls_a_method_which_the_view_does_not_have_is_the_projects():
    class View(generics.UpdateAPIView):
        def get(self, request, pk):
            return self.retrieve(request, pk)

    assert code_of(View, "get").function is View.get


def test_a_get_that_passes_on_only_sometimes_is_the_projects():
    class View(generics.RetrieveAPIView):
        def get(self, request, pk, admin=None):
            return self.retrieve(request, pk) if admin else None

    assert code_of(View, "get").function is View.get


def test_a_get_with_an_assertion_is_the_projects():
    class View(generics.RetrieveAPIView):
        def get(self, request, *args):
            assert args
            return self.retrieve(request, *args)

    assert code_of(View, "get").function is View.get


def test_a_method_that_returns_something_else_is_the_projects():
    class View(viewsets.ModelViewSet):
        def retrieve(self, request, *args, **kwargs):
            super().retrieve(request, *args, **kwargs)
            return request

    assert code_of(View).function is View.retrieve


def test_a_method_that_calls_super_of_another_argument_is_the_projects():
    class View(viewsets.ModelViewSet):
        def retrieve(self, other):
            return super(__class__, other).retrieve(self)

    assert code_of(View).function is View.retrieve


def test_a_method_that_passes_on_what_another_argument_gives_is_the_projects():
    class View(generics.RetrieveAPIView):
        def get(self, request):
            return self.retrieve(request.retrieve())

    assert code_of(View, "get").function is View.get


def test_a_coroutine_function_that_only_awaits_passes_on():
    class Base:
        async def aretrieve(self, request, *args, **kwargs):
            return Response({})

    class View(Base):
        async def aretrieve(self, request, *args, **kwargs):
            return await super().aretrieve(request, *args, **kwargs)

        async def get(self, request, pk):
            return await self.aretrieve(request, pk=pk)

    assert code_of(View, "get").function is Base.aretrieve


def test_a_coroutine_function_that_awaits_something_else_is_the_projects():
    class View:
        async def aretrieve(self, request):
            return Response({})

        async def get(self, request, service):
            return await service.aretrieve(request)

    assert code_of(View, "get").function is View.get


def test_each_form_of_arguments_is_passed_on():
    class View(generics.RetrieveAPIView):
        def get(self, request, pk, *args, **kwargs):
            return self.retrieve(request, pk, *args, pk, **kwargs)

    class Named(generics.RetrieveAPIView):
        def get(self, request, pk):
            return self.retrieve(request=request, pk=pk)

    class Bare(generics.RetrieveAPIView):
        def get(self):
            return self.retrieve()

    assert code_of(View, "get").function is RETRIEVE
    assert code_of(Named, "get").function is RETRIEVE
    assert code_of(Bare, "get").function is RETRIEVE
