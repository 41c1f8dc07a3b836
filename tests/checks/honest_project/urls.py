from django.urls import include, path
from rest_framework.routers import DefaultRouter

from . import api, views

router = DefaultRouter()
for name, viewset in vars(api).items():
    if name.endswith("ViewSet") and viewset.__module__ == api.__name__:
        router.register(name.removesuffix("ViewSet").lower(), viewset, basename=name.lower())

pages = (
    *("article_detail", "async_article", "section_with_articles", "article_with_banner"),
    *("article_with_rate", "article_with_issues", "article_for_user", "article_of_today"),
    *("article_for_staff", "article_with_permission", "my_article", "article_that_is_counted"),
    *("secret_article", "article_deletion", "upload"),
)

urlpatterns = [
    path("api/", include(router.urls)),
    path("api/list/", api.ArticleList.as_view()),
    path("api/detail/<int:pk>/", api.ArticleDetail.as_view()),
    path("api/byline/<int:pk>/", api.Byline.as_view()),
    *(path(f"{name}/<int:pk>/", getattr(views, name)) for name in pages),
    path("page/<int:pk>/", views.ArticlePage.as_view()),
    path("form/<int:pk>/", views.ArticleForm.as_view()),
    path("files/<path:name>", views.download),
    path("about/", views.about),
    path("rate/", views.rate),
    path("untagged/", views.untagged),
    path("titles/", views.Titles.as_view()),
    path("", views.home),
]
