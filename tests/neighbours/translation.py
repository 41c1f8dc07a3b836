"""What django-modeltranslation translates: it looks for modules of this name."""

from modeltranslation.translator import TranslationOptions, register

from .test_modeltranslation import Chapter, News


@register(News)
class NewsOptions(TranslationOptions):
    fields = ("title",)


@register(Chapter)
class ChapterOptions(TranslationOptions):
    fields = ("title",)
