"""What a response is reduced to."""

from decimal import Decimal

from django.utils.translation import gettext_lazy

from etag_versioning.runtime_audit.digests import Digest, digest_of


def test_an_object_whose_text_need_not_change_has_no_digest():
    assert digest_of([("owner", object())], 100) is None


def test_a_number_and_its_text_differ():
    number, text = digest_of([("age", 7)], 100), digest_of([("age", "7")], 100)
    assert text.differs(number) == ["age"]


def test_a_digest_is_the_same_after_the_cache():
    digest = digest_of([("name", gettext_lazy("Name")), ("price", Decimal("1.50"))], 100)
    stored = Digest.from_text(digest.as_text())
    assert stored.parts == digest.parts
    assert digest.differs(stored) == []


def test_a_digest_depends_on_the_secret_key(settings):
    before = digest_of([("name", "Ada")], 100)
    settings.SECRET_KEY = "another"
    assert digest_of([("name", "Ada")], 100).whole != before.whole


def test_parts_that_are_new_are_named():
    stored = digest_of([("a", 1)], 100)
    assert digest_of([("a", 1), ("b", 2)], 100).differs(stored) == ["b"]


def test_parts_in_another_order_are_another_content():
    stored = digest_of([("a", 1), ("b", 2)], 100)
    assert digest_of([("b", 2), ("a", 1)], 100).differs(stored) == ["content"]
