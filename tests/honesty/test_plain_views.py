"""What plain views do beside showing one row: templates, classes, streams, other formats."""

import csv
import io

import pytest
from django.contrib import messages
from django.db import models
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.generic import TemplateView

from etag_versioning import etag_extra
from etag_versioning.decorators import etag_func, versioned_condition
from tests.honesty.models import Book, Chapter, ExchangeRate, Notice, Publisher, Review, Shelf

IN_PUBLISHER = '`touches = ("books",)` in `Publisher`'
IN_CHAPTER = '`touches = ("book",)` in `Chapter`'


@pytest.mark.scenario("Chapters, in a CSV file", "W208", "helper", "audit", mend=IN_CHAPTER)
def test_csv(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_table(request, pk):
        table = io.StringIO()
        rows = Chapter.objects.filter(book=pk).order_by("pk").values_list("pk", "title")
        csv.writer(table).writerows(rows)
        return HttpResponse(table.getvalue(), content_type="text/csv")

    serve(book_table)
    warned("W208", "honesty.Chapter")
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: 'touches = ("book",)'})


@pytest.mark.scenario("Chapters, in XML", "W208", "helper", "audit", mend=IN_CHAPTER)
def test_xml(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_feed(request, pk):
        titles = Chapter.objects.filter(book=pk).order_by("pk").values_list("title", flat=True)
        items = "".join(f"<item>{title}</item>\n" for title in titles)
        return HttpResponse(f"<feed>{items}</feed>", content_type="application/xml")

    serve(book_feed)
    warned("W208", "honesty.Chapter")
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: 'touches = ("book",)'})


@pytest.mark.scenario("Chapters, in a stream", "W208", "helper", mend=IN_CHAPTER)
def test_a_stream(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_stream(request, pk):
        titles = Chapter.objects.filter(book=pk).order_by("pk").values_list("title", flat=True)
        return StreamingHttpResponse(f"{title}\n" for title in titles)

    serve(book_stream)
    warned("W208", "honesty.Chapter")
    with lies(url, audit=False):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: 'touches = ("book",)'})


@pytest.mark.scenario("The publisher, in a `TemplateView`", "helper", "audit", mend=IN_PUBLISHER)
def test_a_template_view(serve, url, lies, helper_finds):
    class BookPage(TemplateView):
        def get_context_data(self, **kwargs):
            book = Book.objects.select_related("publisher").get(pk=kwargs["pk"])
            return {"book": book}

        def render_to_response(self, context):
            page = engines["django"].from_string("{{ book.publisher.name }}")
            return TemplateResponse(self.request, page, context)

    serve(versioned_condition(Book)(BookPage.as_view()))
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The publisher, in a class with an async `get()`", "W208", "helper", "audit", mend=IN_PUBLISHER
)
def test_an_async_class(serve, url, lies, helper_finds, warned):
    @method_decorator(versioned_condition(Book), name="dispatch")
    class BookPage(View):
        async def get(self, request, pk):
            book = await Book.objects.select_related("publisher").aget(pk=pk)
            return HttpResponse(book.publisher.name)

    serve(BookPage)
    warned("W208", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: 'touches = ("books",)'})


@pytest.mark.scenario("Chapters, by a loop in a template", "helper", "audit", mend=IN_CHAPTER)
def test_a_query_in_a_template(serve, url, lies, helper_finds):
    @versioned_condition(Book)
    def book_page(request, pk):
        page = engines["django"].from_string(
            "{% for chapter in book.chapters.all %}<li>{{ chapter.title }}</li>{% endfor %}"
        )
        return HttpResponse(page.render({"book": Book.objects.get(pk=pk)}))

    serve(book_page)
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: 'touches = ("book",)'})


@pytest.mark.scenario(
    "The number of all books, in a plain view",
    "helper",
    "audit",
    mend="the rows' states in `etag_extra`",
)
def test_a_number_of_all_rows(serve, book, url, lies, helper_finds, helper_is_silent):
    def book_page(request, pk):
        return HttpResponse(f"1 of {Book.objects.count()}")

    def states(request, pk):
        return Book.objects.order_by("pk").values_list("pk", "version", "updated_at")

    Book.objects.filter(pk=book.pk).update(prequel=None)
    serve(versioned_condition(Book)(book_page))
    with lies(url):
        Book.objects.create(title="Cliff", publisher=book.publisher, published_at=book.published_at)
    helper_finds(url, {}, rows=2)
    serve(versioned_condition(Book, etag_extra=states)(book_page))
    helper_is_silent(url, rows=2)


@pytest.mark.scenario(
    "A second versioned row, which the view loads by itself",
    "W208",
    "helper",
    "audit",
    mend="the row as a second source of `versioned_condition()`",
)
def test_a_second_row(serve, book, url, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        rate = ExchangeRate.objects.order_by("pk").first()
        return JsonResponse({"dollars": rate and rate.dollars})

    serve(versioned_condition(Book)(book_page))
    warned("W208", "honesty.ExchangeRate")
    with lies(url):
        ExchangeRate.objects.update(dollars=3)
    helper_finds(url, {"test_a_second_row": "ExchangeRate.objects"})
    serve(versioned_condition(Book, ExchangeRate.objects.all())(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "Two books side by side, of which the second is named by the query string",
    "helper",
    "audit",
    mend="the rows' states in `etag_extra`",
)
def test_a_row_of_the_query_string(serve, book, url, lies, helper_finds, helper_is_silent):
    def book_page(request, pk):
        other = Book.objects.filter(pk=request.GET["with"]).first()
        return JsonResponse({"other": other and other.title})

    def other(request, pk):
        rows = Book.objects.filter(pk=request.GET["with"])
        return rows.values_list("pk", "version", "updated_at")

    Book.objects.filter(pk=book.pk).update(prequel=None)
    url = f"{url}?with={book.prequel_id}"
    serve(versioned_condition(Book)(book_page))
    with lies(url):
        Book.objects.filter(pk=book.prequel_id).update(title="Port")
    helper_finds(url, {"test_a_row_of_the_query_string": "Book.objects"})
    serve(versioned_condition(Book, etag_extra=other)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "Reviews, where `etag_func()` of Django's `condition` knows the book alone",
    "helper",
    mend='`touches = ("book",)` in `Review`',
)
def test_djangos_condition(serve, url, lies, helper_finds):
    from django.views.decorators.http import condition

    @condition(etag_func(Book, lookup_url_kwarg="pk"))
    def book_page(request, pk):
        stars = Review.objects.filter(book=pk).order_by("pk").values_list("stars", flat=True)
        return JsonResponse({"stars": list(stars)})

    serve(book_page)
    with lies(url, audit=False):
        Review.objects.update(stars=1)
    helper_finds(url, {Review: 'touches = ("book",)'})


@pytest.mark.scenario(
    "The page of a shelf, with its books and their publishers",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("shelves",)` in `Book`, `("books__shelves",)` in `Publisher`',
)
def test_a_page_of_rows(serve, book, lies, helper_finds, warned):
    @versioned_condition(Shelf)
    def shelf_page(request, pk):
        books = Book.objects.filter(shelves=pk).select_related("publisher").order_by("pk")
        return HttpResponse("\n".join(f"{each.title}: {each.publisher.name}" for each in books))

    serve(shelf_page, "shelves/<int:pk>/")
    url = f"/shelves/{Shelf.objects.get().pk}/"
    warned("W208", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(
        url,
        {Book: 'touches = ("shelves",)', Publisher: 'touches = ("books__shelves",)'},
    )


@pytest.mark.scenario("A query string that sorts the page", "impossible")
def test_a_query_string(serve, book, url, follows):
    book.chapters.create(title="Storm")

    @versioned_condition(Book)
    def book_page(request, pk):
        chapters = Chapter.objects.filter(book=pk).order_by(request.GET["sort"])
        return HttpResponse(",".join(chapters.values_list("title", flat=True)))

    serve(book_page)
    with follows(f"{url}?sort=title", then=f"{url}?sort=-title"):
        pass


@pytest.mark.scenario("The best review, annotated in a plain view's source", "impossible")
def test_an_annotated_review(serve, url, follows):
    newest = models.Max("reviews__stars")
    rows = Book.objects.annotate(best=newest)

    @versioned_condition(rows)
    def book_page(request, pk):
        return JsonResponse({"best": rows.get(pk=pk).best})

    serve(book_page)
    with follows(url):
        Review.objects.update(stars=1)


@pytest.mark.scenario(
    "A greeting in the session",
    "W213",
    "audit",
    mend='`etag_extra.session("name")` in `etag_extra`',
)
@pytest.mark.usefixtures("sessions")
def test_a_session(serve, url, lies, warned, mended):
    def book_page(request, pk):
        if "name" in request.GET:
            request.session["name"] = request.GET["name"]
        return HttpResponse(f"Hello {request.session.get('name', '')}")

    serve(versioned_condition(Book)(book_page))
    warned("W213", "depends on the session")
    with lies(url) as visitor:
        visitor.get(f"{url}?name=Rita")
    serve(versioned_condition(Book, etag_extra=etag_extra.session("name"))(book_page))
    with mended(url) as visitor:
        visitor.get(f"{url}?name=Olga")


@pytest.mark.scenario(
    "A theme in a cookie", "W213", "audit", mend='`etag_extra.cookie("theme")` in `etag_extra`'
)
def test_a_cookie(serve, url, lies, warned, mended):
    def book_page(request, pk):
        return HttpResponse(f"<body class={request.COOKIES.get('theme', 'light')}>")

    serve(versioned_condition(Book)(book_page))
    warned("W213", "depends on cookies")
    with lies(url) as visitor:
        visitor.cookies["theme"] = "dark"
    serve(versioned_condition(Book, etag_extra=etag_extra.cookie("theme"))(book_page))
    with mended(url) as visitor:
        visitor.cookies["theme"] = "light"


@pytest.mark.scenario("Messages of `django.contrib.messages`", "no tag")
@pytest.mark.usefixtures("sessions")
def test_messages(serve, url, settings, has_no_tag):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    settings.MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(" ".join(map(str, messages.get_messages(request))))

    serve(book_page)
    has_no_tag(url)


@pytest.mark.scenario("A form with the CSRF token of the visitor", "no tag")
def test_a_csrf_token(serve, url, settings, has_no_tag):
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]

    @versioned_condition(Book)
    def book_page(request, pk):
        page = engines["django"].from_string("<form>{% csrf_token %}</form>")
        return HttpResponse(page.render({}, request))

    serve(book_page)
    has_no_tag(url)


@pytest.mark.scenario(
    "A notice that a middleware writes into each page",
    "helper",
    mend="the rows' values in `etag_extra`",
)
def test_a_middleware(serve, url, lies, helper_finds, helper_is_silent, settings):
    settings.MIDDLEWARE = [f"{__name__}.NoticeMiddleware"]

    def book_page(request, pk):
        return HttpResponse("Book")

    def notices(request, pk):
        return Notice.objects.order_by("pk").values_list("pk", "text")

    serve(versioned_condition(Book)(book_page))
    with lies(url, audit=False):
        Notice.objects.update(text="Sale")
    helper_finds(url, {"test_a_middleware": "Notice.objects"})
    serve(versioned_condition(Book, etag_extra=notices)(book_page))
    helper_is_silent(url)


class NoticeMiddleware:
    """Adds to each page, as a project's middleware may."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 200:
            response.content += "".join(notice.text for notice in Notice.objects.all()).encode()
        return response
