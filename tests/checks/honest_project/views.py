"""The newspaper's pages."""

import json
import logging
from pathlib import Path

from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import FileResponse, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_control, never_cache
from django.views.generic import DeleteView, DetailView, ListView, TemplateView, UpdateView

from etag_versioning import etag_extra
from etag_versioning.decorators import file_etag_func, revision_etag_func, versioned_condition

from .models import Article, Banner, Comment, Issue, Placement, Rate, Section

FOLDER = Path(__file__).parent
articles = Article.objects.select_related("author", "section")
logger = logging.getLogger(__name__)


def as_dict(article):
    return {
        "title": article.title,
        "author": {"name": article.author.name, "country": article.author.country.name},
        "section": str(article.section),
        "photos": [
            {"caption": photo.caption, "credit": photo.credit.name}
            for photo in article.photos.select_related("credit")
        ],
        "keywords": list(article.keywords.values_list("name", flat=True)),
        "comments": article.comments.count(),
    }


@versioned_condition(Article)
def article_detail(request, pk):
    article = get_object_or_404(articles, pk=pk)
    if request.method == "DELETE":
        article.delete()
        return HttpResponse(status=204)
    if request.method in ("PUT", "PATCH"):
        data = json.loads(request.body)
        article.section = Section.objects.get(name=data["section"])
        article.facts["issue"] = Issue.objects.latest("pk").number
        article.save()
    elif request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "PUT", "PATCH", "DELETE"])
    return JsonResponse(as_dict(article))


@versioned_condition(Article)
async def async_article(request, pk):
    article = await articles.aget(pk=pk)
    comments = [comment.text async for comment in article.comments.all()]
    return JsonResponse({"title": article.title, "comments": comments})


@versioned_condition(Section, lambda request, pk: Article.objects.filter(section=pk))
def section_with_articles(request, pk):
    section = Section.objects.get(pk=pk)
    return JsonResponse({"name": section.name, "all": [a.title for a in section.articles.all()]})


@versioned_condition(Article, Banner.objects.all())
def article_with_banner(request, pk):
    return render(request, "article.html", {"banner": Banner.objects.first()})


@versioned_condition(Article, etag_extra=[Rate.objects.all()])
def article_with_rate(request, pk):
    return HttpResponse(Rate.objects.get().percent)


def issues_of(request, pk):
    return [Issue.objects.count(), *Placement.objects.values_list("page")]


@versioned_condition(Article, etag_extra=issues_of)
def article_with_issues(request, pk):
    placements = Placement.objects.filter(article=pk)
    return JsonResponse({"issues": [placement.issue.number for placement in placements]})


@versioned_condition(Article, etag_extra=etag_extra.user)
def article_for_user(request, pk):
    return HttpResponse(f"Hello {request.user.username}")


@versioned_condition(Article, etag_extra=lambda request, pk: [timezone.localdate()])
def article_of_today(request, pk):
    return HttpResponse(timezone.now().strftime("%A"))


@login_required
@versioned_condition(Article)
def article_for_staff(request, pk):
    return HttpResponse(Article.objects.get(pk=pk).title)


@permission_required("honest_project.view_article")
@cache_control(private=True, no_cache=True)
@versioned_condition(Article)
def article_with_permission(request, pk):
    return HttpResponse(Article.objects.get(pk=pk).title)


def my_articles(request, pk):
    return Article.objects.filter(owner=request.user)


@versioned_condition(my_articles, lookup_field="pk")
@login_required
def my_article(request, pk):
    return HttpResponse(Article.objects.get(pk=pk, owner=request.user).title)


@versioned_condition(Article)
def article_that_is_counted(request, pk):
    article = Article.objects.get(pk=pk)
    Comment.objects.create(article=article, text="read")
    logger.info("%s was read", article.pk)
    return HttpResponse(article.teaser)


@versioned_condition(Article, cache_control={"no_store": True})
def secret_article(request, pk):
    return HttpResponse(Article.objects.get(pk=pk).body)


@method_decorator([login_required, versioned_condition(Article)], name="dispatch")
class ArticlePage(DetailView):
    model = Article

    def get_context_data(self, **kwargs):
        photos = [photo.caption for photo in self.object.photos.all()]
        return super().get_context_data(photos=photos, byline=self.object.byline, **kwargs)


@method_decorator(versioned_condition(Article, if_match="report"), name="dispatch")
class ArticleFormBase(UpdateView):
    model = Article
    fields = ("title",)


class ArticleForm(LoginRequiredMixin, ArticleFormBase):
    def form_valid(self, form):
        form.instance.facts["banner"] = Banner.objects.first().text
        return super().form_valid(form)


article_deletion = versioned_condition(Article)(DeleteView.as_view(model=Article))


class Upload(View):
    def get(self, request, pk):
        return HttpResponse(Article.objects.get(pk=pk).pdf.name)

    def put(self, request, pk):
        return HttpResponse(Section.objects.count())


upload = versioned_condition(Article)(Upload.as_view())


@versioned_condition(file_etag_func(FOLDER, "name"))
def download(request, name):
    return FileResponse((FOLDER / name).open("rb"))


@versioned_condition(revision_etag_func("1"), methods=["GET"])
def about(request):
    return render(request, "about.html")


@versioned_condition(etag_func=lambda request: f'"{Rate.objects.get().percent}"')
def rate(request):
    return HttpResponse(Rate.objects.get().percent)


@never_cache
def untagged(request):
    return HttpResponse(Banner.objects.count())


class Titles(ListView):
    model = Article


home = TemplateView.as_view(template_name="home.html")
