"""Pages that look different to different visitors, and to one whose rights change."""

import pytest
from django.contrib.auth.models import Group, User
from django.http import HttpResponse, JsonResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning import etag_extra
from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Favourite, Profile

pytestmark = pytest.mark.usefixtures("sessions")

BY_USER = "terms.user"
IN_VIEW = "`etag_extra=etag_extra.user`"
IN_VIEWSET = "`etag_extra.user(self.request)` in `get_etag_extra()`"


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


class ByUser:
    def get_etag_extra(self):
        return [*super().get_etag_extra(), *etag_extra.user(self.request)]


@pytest.mark.scenario(
    "The key of the visitor, in a plain view", "W213", "helper", "audit", mend=IN_VIEW
)
def test_a_plain_view(serve, url, olga, rita, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        return JsonResponse({"user": request.user.pk})

    serve(versioned_condition(Book)(book_page))
    warned("W213", "depends on the user who asks")
    with lies(url) as visitor:
        visitor.force_login(rita)
    helper_finds(url, {"test_a_plain_view": BY_USER}, users=[olga, rita])
    serve(versioned_condition(Book, etag_extra=etag_extra.user)(book_page))
    helper_is_silent(url, users=[olga, rita])


@pytest.mark.scenario(
    "The key of the visitor, in an async view", "W213", "helper", "audit", mend=IN_VIEW
)
def test_an_async_view(serve, url, olga, rita, lies, helper_finds, helper_is_silent, warned):
    async def book_page(request, pk):
        user = await request.auser()
        return JsonResponse({"user": user.pk})

    async def user(request, pk):
        return [(await request.auser()).pk]

    serve(versioned_condition(Book)(book_page))
    warned("W213", "depends on the user who asks")
    with lies(url) as visitor:
        visitor.force_login(rita)
    helper_finds(url, {"test_an_async_view": BY_USER}, users=[olga, rita])
    serve(versioned_condition(Book, etag_extra=user)(book_page))
    helper_is_silent(url, users=[olga, rita])


@pytest.mark.scenario(
    "A greeting with the visitor's name, which the visitor changes",
    "W213",
    "helper",
    "audit",
    mend="the user and the name in `etag_extra`",
)
def test_a_column_of_the_visitor(
    serve, url, olga, lies, helper_finds, helper_is_silent, visitor, warned
):
    def book_page(request, pk):
        return HttpResponse(f"Hello {getattr(request.user, 'first_name', '')}")

    def user_with_name(request, pk):
        return [*etag_extra.user(request), getattr(request.user, "first_name", "")]

    serve(versioned_condition(Book)(book_page))
    visitor.force_login(olga)
    warned("W213", "depends on the user who asks")
    with lies(url):
        User.objects.filter(pk=olga.pk).update(first_name="Olivia")
    name = 'getattr(request.user, "first_name", None)'
    helper_finds(url, {"test_a_column_of_the_visitor": name}, users=[olga])
    serve(versioned_condition(Book, etag_extra=user_with_name)(book_page))
    helper_is_silent(url, users=[olga])


@pytest.mark.scenario(
    "Whether the visitor sells the book, in a viewset", "W213", "helper", "audit", mend=IN_VIEWSET
)
def test_a_viewset(serve, url, olga, rita, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        mine = serializers.SerializerMethodField()

        def get_mine(self, book):
            return book.seller_id == self.context["request"].user.pk

        class Meta:
            model = Book
            fields = ("mine",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(ByUser, Books):
        pass

    serve(Books)
    warned("W213", "depends on the user who asks")
    with lies(url) as visitor:
        visitor.force_login(olga)
    helper_finds(url, {"Books": "terms.user"}, users=[olga, rita])
    serve(MendedBooks)
    helper_is_silent(url, users=[olga, rita])


@pytest.mark.scenario(
    "Whether the visitor sells each book, in a list", "W213", "helper", "audit", mend=IN_VIEWSET
)
def test_a_list(serve, olga, rita, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        mine = serializers.SerializerMethodField()

        def get_mine(self, book):
            return book.seller_id == self.context["request"].user.pk

        class Meta:
            model = Book
            fields = ("mine",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(ByUser, Books):
        pass

    serve(Books)
    warned("W213", "depends on the user who asks")
    with lies("/books/") as visitor:
        visitor.force_login(olga)
    helper_finds("/books/", {"Books": "terms.user"}, users=[olga, rita])
    serve(MendedBooks)
    helper_is_silent("/books/", users=[olga, rita])


@pytest.mark.scenario(
    "Whether the visitor likes the book, by a table of favourites",
    "W207",
    "helper",
    "audit",
    mend=f'{IN_VIEWSET}, `touches = ("book",)` in `Favourite`',
)
def test_a_table_about_the_visitor(serve, book, url, rita, lies, helper_finds, visitor, warned):
    class BookSerializer(serializers.ModelSerializer):
        liked = serializers.SerializerMethodField()

        def get_liked(self, book):
            return book.favourites.filter(user=self.context["request"].user.pk).exists()

        class Meta:
            model = Book
            fields = ("liked",)

    class Books(ByUser, BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    visitor.force_login(rita)
    warned("W207", "honesty.Favourite")
    with lies(url):
        Favourite.objects.create(book=book, user=rita)
    helper_finds(url, {Favourite: 'touches = ("book",)'}, users=[rita])


@pytest.mark.scenario(
    "A field that only staff sees, by `get_fields()`", "helper", "audit", mend=IN_VIEWSET
)
def test_fields_for_staff(serve, url, rita, lies, helper_finds, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        def get_fields(self):
            fields = super().get_fields()
            if not self.context["request"].user.is_staff:
                del fields["price"]
            return fields

        class Meta:
            model = Book
            fields = ("title", "price")

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        def get_etag_extra(self):
            user = self.request.user
            return [*super().get_etag_extra(), *etag_extra.user(self.request), user.is_staff]

    User.objects.filter(pk=rita.pk).update(is_staff=True)
    serve(Books)
    with lies(url) as visitor:
        visitor.force_login(rita)
    helper_finds(url, {"Books": "terms.user"}, users=[rita])
    serve(MendedBooks)
    helper_is_silent(url, users=[rita])


@pytest.mark.scenario("Another serializer for staff, by `get_serializer_class()`", "impossible")
def test_a_serializer_for_staff(serve, url, rita, follows):
    class PublicSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class StaffSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title", "price")

    class Books(BookViewSet):
        def get_serializer_class(self):
            return StaffSerializer if self.request.user.is_staff else PublicSerializer

    User.objects.filter(pk=rita.pk).update(is_staff=True)
    serve(Books)
    with follows(url) as visitor:
        visitor.force_login(rita)


@pytest.mark.scenario(
    "A button for members of a group, who lose their membership",
    "helper",
    "audit",
    mend="the groups in `etag_extra`",
)
def test_a_membership(serve, url, olga, lies, helper_finds, helper_is_silent, visitor):
    def book_page(request, pk):
        sells = request.user.groups.filter(name="sellers").exists()
        return JsonResponse({"sells": sells})

    def groups(request, pk):
        names = request.user.groups.order_by("pk").values_list("name", flat=True)
        return [*etag_extra.user(request), *names]

    serve(versioned_condition(Book, etag_extra=etag_extra.user)(book_page))
    visitor.force_login(olga)
    left = Group.objects.get()
    with lies(url):
        left.user_set.clear()
    olga.groups.add(left)
    helper_finds(url, {"test_a_membership": "etag_extra=lambda request"}, users=[olga])
    serve(versioned_condition(Book, etag_extra=groups)(book_page))
    helper_is_silent(url, users=[olga])


@pytest.mark.scenario(
    "A price in the currency of the visitor's profile",
    "W208",
    "helper",
    "audit",
    mend="the profile's value in `etag_extra`",
)
def test_the_profile_of_the_visitor(
    serve, url, rita, lies, helper_finds, helper_is_silent, visitor, warned
):
    def book_page(request, pk):
        profile = Profile.objects.filter(user=request.user.pk).first()
        return JsonResponse({"currency": profile.currency if profile else "EUR"})

    def currency(request, pk):
        profiles = Profile.objects.filter(user=request.user.pk)
        return [*etag_extra.user(request), *profiles.values_list("currency", flat=True)]

    serve(versioned_condition(Book, etag_extra=etag_extra.user)(book_page))
    visitor.force_login(rita)
    warned("W208", "honesty.Profile")
    with lies(url):
        Profile.objects.update(currency="CHF")
    helper_finds(url, {"test_the_profile_of_the_visitor": "Profile.objects"}, users=[rita])
    serve(versioned_condition(Book, etag_extra=currency)(book_page))
    helper_is_silent(url, users=[rita])


@pytest.mark.scenario(
    "A page that the view itself refuses to some, with 403", "W213", "helper", "audit", mend=IN_VIEW
)
def test_a_refusal_in_the_view(
    serve, url, olga, rita, lies, helper_finds, helper_is_silent, warned
):
    def book_page(request, pk):
        return HttpResponse("secret", status=403 if request.user == rita else 200)

    serve(versioned_condition(Book)(book_page))
    warned("W213", "depends on the user who asks")
    with lies(url) as visitor:
        visitor.force_login(rita)
    helper_finds(url, {"test_a_refusal_in_the_view": BY_USER}, users=[olga, rita])
    serve(versioned_condition(Book, etag_extra=etag_extra.user)(book_page))
    helper_is_silent(url, users=[olga, rita])


@pytest.mark.scenario("A book that a permission class refuses to some, with 403", "impossible")
def test_a_permission_class(serve, url, olga, rita, follows, visitor):
    from rest_framework.permissions import BasePermission

    class SellerOnly(BasePermission):
        def has_object_permission(self, request, view, book):
            return book.seller_id == request.user.pk

    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer
        permission_classes = [SellerOnly]

    serve(Books)
    visitor.force_login(olga)
    with follows(url):
        visitor.force_login(rita)


@pytest.mark.scenario("A list of the visitor's own books, by `get_queryset()`", "impossible")
def test_a_list_of_own_rows(serve, olga, rita, follows, visitor):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

        def get_queryset(self):
            return super().get_queryset().filter(seller=self.request.user.pk)

    serve(Books)
    visitor.force_login(olga)
    with follows("/books/"):
        visitor.force_login(rita)


@pytest.mark.scenario(
    "A part of the page for visitors who have logged in", "W213", "helper", "audit", mend=IN_VIEW
)
def test_a_login(serve, url, rita, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        return HttpResponse("Log out" if request.user.is_authenticated else "Log in")

    serve(versioned_condition(Book)(book_page))
    warned("W213", "depends on the user who asks")
    with lies(url) as visitor:
        visitor.force_login(rita)
    helper_finds(url, {"test_a_login": BY_USER}, users=[rita])
    serve(versioned_condition(Book, etag_extra=etag_extra.user)(book_page))
    helper_is_silent(url, users=[rita])
