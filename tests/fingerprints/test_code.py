"""What of functions and values is in a fingerprint, and what is told to be unseen."""

import functools
import operator
import re
import sys
import threading
from collections import OrderedDict, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.template import engines
from django.test import override_settings
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy, ngettext_lazy

from etag_versioning.code.fingerprint import fingerprint_of, forget
from tests.testapp.models import Person


def digest(*roots):
    return fingerprint_of(*roots).digest


class Size(Enum):
    SMALL = 1
    LARGE = 2


@dataclass(frozen=True)
class Point:
    x: int
    y: int


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x


def first():
    return 1


def second():
    return 2


# (kind of value, a value, the same value made again, another value)
VALUES = [
    ("text", "a", "a", "b"),
    ("text and bytes", "a", "a", b"a"),
    ("numbers that are equal", 1, 1, 1.0),
    ("true and one", True, True, 1),
    ("zero and minus zero", 0.0, 0.0, -0.0),
    ("decimals", Decimal("1.0"), Decimal("1.0"), Decimal("1.00")),
    ("dates", date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2)),
    ("durations", timedelta(1), timedelta(hours=24), timedelta(2)),
    ("UUIDs", UUID(int=1), UUID(int=1), UUID(int=2)),
    ("tuples", (1, 2), (1, 2), (12,)),
    ("nested tuples", ((1,), 2), ((1,), 2), ((1, 2),)),
    ("lists and tuples", [1], [1], (1,)),
    ("sets, whatever their order", {"a", "b", "c"}, {"c", "b", "a"}, {"a", "b"}),
    ("frozen sets", frozenset("ab"), frozenset("ba"), frozenset("a")),
    ("dictionaries", {"a": 1}, {"a": 1}, {"a": 2}),
    ("the order of dictionaries", {"a": 1, "b": 2}, {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ("ordered dictionaries", OrderedDict(a=1), OrderedDict(a=1), OrderedDict(b=1)),
    ("default factories", defaultdict(list), defaultdict(list), defaultdict(set)),
    ("deques", deque([1]), deque([1]), deque([2])),
    ("regular expressions", re.compile("a"), re.compile("a"), re.compile("b")),
    ("flags", re.compile("a", re.I), re.compile("a", re.I), re.compile("a")),
    ("members of an Enum", Size.SMALL, Size(1), Size.LARGE),
    ("dataclasses", Point(1, 2), Point(1, 2), Point(2, 1)),
    ("slots", Slotted(1), Slotted(1), Slotted(2)),
    ("translations", gettext_lazy("a"), gettext_lazy("a"), gettext_lazy("b")),
    ("plurals", ngettext_lazy("a", "b"), ngettext_lazy("a", "b"), ngettext_lazy("a", "c")),
    ("functions", first, first, second),
    ("partial functions", functools.partial(first, 1), functools.partial(first, 1),
     functools.partial(first, 2)),
    ("attrgetter", operator.attrgetter("a"), operator.attrgetter("a"), operator.attrgetter("b")),
    ("itemgetter", operator.itemgetter(0), operator.itemgetter(0), operator.itemgetter(1)),
    ("classes", Point, Point, Size),
    ("ranges", range(3), range(3), range(4)),
    ("time zones", UTC, UTC, None),
    ("paths", Path("a"), Path("a"), Path("b")),
    ("generic types", list[int], list[int], list[str]),
    ("templates made of text", *(engines["django"].from_string(each).template
                                 for each in ("a", "a", "b"))),
    ("lazy objects", SimpleLazyObject(first), SimpleLazyObject(first), SimpleLazyObject(second)),
    ("querysets", Person.objects.all(), Person.objects.all(), Person.objects.order_by("days")),
    ("deferred fields", Person.objects.only("name"), Person.objects.only("name"),
     Person.objects.only("days")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "same", "other"), [pytest.param(*each[1:], id=each[0]) for each in VALUES]
)
def test_equal_values_have_one_digest_and_others_another(value, same, other):
    assert digest(value) == digest(same)
    assert digest(value) != digest(other)


def test_a_queryset_is_not_evaluated(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        digest(Person.objects.filter(name="a").prefetch_related("team"))


def function_from(text, **names):
    """The function ``shown`` that the text defines, in a module of its own."""
    namespace = {"__name__": "made_for_a_test", **names}
    exec(text, namespace)
    return namespace["shown"]


# (what differs, the code of one function, the code of another)
FUNCTIONS = [
    ("a constant", "def shown(): return 1", "def shown(): return 2"),
    ("an operator", "def shown(a): return a + 1", "def shown(a): return a - 1"),
    ("a name", "def shown(a): return a.b", "def shown(a): return a.c"),
    ("a default", "def shown(a=1): return a", "def shown(a=2): return a"),
    ("a keyword's default", "def shown(*, a=1): return a", "def shown(*, a=2): return a"),
    ("the name of an argument", "def shown(a): return a", "def shown(b): return b"),
    ("the kind of an argument", "def shown(a): return a", "def shown(*a): return a"),
    ("an inner function", "def shown(): return lambda: 1", "def shown(): return lambda: 2"),
    ("a comprehension", "def shown(a): return [b for b in a]",
     "def shown(a): return [b + 1 for b in a]"),
    ("what is closed over", "def make(a):\n def shown(): return a\n return shown\nshown = make(1)",
     "def make(a):\n def shown(): return a\n return shown\nshown = make(2)"),
    ("which of two functions of one name is called first",
     "def make(a):\n def inner(): return a\n return inner\n"
     "b, c = make(1), make(2)\ndef shown(): return b(), c()",
     "def make(a):\n def inner(): return a\n return inner\n"
     "b, c = make(2), make(1)\ndef shown(): return b(), c()"),
    ("an exception that is caught", "def shown():\n try: f()\n except ValueError: pass",
     "def shown():\n try: f()\n except TypeError: pass"),
    ("a coroutine", "def shown(): return 1", "async def shown(): return 1"),
    ("a helper", "def helper(): return 1\ndef shown(): return helper()",
     "def helper(): return 2\ndef shown(): return helper()"),
    ("a helper of a helper",
     "def a(): return 1\ndef b(): return a()\ndef shown(): return b()",
     "def a(): return 2\ndef b(): return a()\ndef shown(): return b()"),
    ("a class that is used", "class A:\n x = 1\ndef shown(): return A",
     "class A:\n x = 2\ndef shown(): return A"),
    ("a method that is called on a class's instance", "class A:\n def f(self): return 1\n"
     "def shown(): return A().f()",
     "class A:\n def f(self): return 2\ndef shown(): return A().f()"),
    ("a base class", "class A:\n x = 1\nclass B(A): pass\ndef shown(): return B",
     "class A:\n x = 2\nclass B(A): pass\ndef shown(): return B"),
    ("a metaclass' product", "A = type('A', (), {'x': 1})\ndef shown(): return A",
     "A = type('A', (), {'x': 2})\ndef shown(): return A"),
    ("a static method", "class A:\n @staticmethod\n def f(): return 1\ndef shown(): return A",
     "class A:\n @staticmethod\n def f(): return 2\ndef shown(): return A"),
    ("a global", "A = 1\ndef shown(): return A", "A = 2\ndef shown(): return A"),
    ("a table that other functions only read", "A = {1: 1}\ndef shown(): return A[1]\n"
     "def read(): return A.get(1), A[1], len(A), {**A}",
     "A = {1: 2}\ndef shown(): return A[1]\ndef read(): return A.get(1), A[1], len(A), {**A}"),
    ("a table beside which another dictionary is filled",
     "A = {1: 1}\ndef shown(b):\n b[1] = A[1]\n b[A[1]] = 2\n return b",
     "A = {1: 3}\ndef shown(b):\n b[1] = A[1]\n b[A[1]] = 2\n return b"),
    ("functions that call each other", "def a(): return shown()\ndef shown(): return a(), 1",
     "def a(): return shown()\ndef shown(): return a(), 2"),
    ("an implementation of a generic function",
     "from functools import singledispatch\n@singledispatch\ndef f(a): return 1\n"
     "@f.register(int)\ndef g(a): return 2\ndef shown(a): return f(a)",
     "from functools import singledispatch\n@singledispatch\ndef f(a): return 1\n"
     "@f.register(int)\ndef g(a): return 3\ndef shown(a): return f(a)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"), [pytest.param(*each[1:], id=each[0]) for each in FUNCTIONS]
)
def test_functions_that_differ_have_other_digests(one, other):
    assert digest(function_from(one)) == digest(function_from(one))
    assert digest(function_from(one)) != digest(function_from(other))


# (what changes while the program runs, code, code that runs it)
STATE = [
    ("a cache", "A = {}\ndef shown(a):\n A[a] = 1\n return A[a]", "shown(1)"),
    ("a cache that another function fills", "A = {}\ndef shown(): return A\ndef fill(): A[1] = 2",
     "fill()"),
    ("a list", "A = []\ndef shown(): return A\ndef fill(): A.append(2)", "fill()"),
    ("a set", "A = set()\ndef shown(): return A\ndef fill(): A.add(2)", "fill()"),
    ("a number", "A = 0\ndef shown():\n global A\n A += 1\n return A", "shown()"),
    ("a number of each key", "A = {1: 0}\ndef shown(): A[1] += 1\n", "shown()"),
    ("an object made at first use",
     "A = None\ndef shown():\n global A\n A = A or [1]\n return A", "shown()"),
    ("a mutable default", "def shown(a=1, seen=[]):\n seen.append(a)\n return seen", "shown()"),
    ("a memo of a decorator", "def memo(f):\n seen = {}\n def inner(a):\n"
     "  seen[a] = f(a)\n  return seen[a]\n return inner\n@memo\ndef shown(a): return a",
     "shown(1)"),
    ("an attribute of an instance", "class A:\n def __init__(self): self.n = 0\n"
     " def f(self): self.n += 1\na = A()\ndef shown(): return a.f()", "shown()"),
    ("a container of an instance", "class A:\n def __init__(self): self.n = {}\n"
     " def f(self): self.n[1] = 2\na = A()\ndef shown(): return a.f()", "shown()"),
    ("a container of a class", "class A:\n n = []\n def f(self): self.n.append(1)\n"
     "def shown(): return A().f()", "shown()"),
    ("a counter of a class", "class A:\n n = 0\ndef shown():\n A.n += 1\n", "shown()"),
    ("a class's own counter", "class A:\n n = 0\n @classmethod\n def f(cls): cls.n += 1\n"
     "def shown(): return A.f()", "shown()"),
    ("what lru_cache keeps", "from functools import lru_cache\n@lru_cache\ndef f(a): return a\n"
     "def shown(a): return f(a)", "shown(1)"),
    ("what cached_property keeps", "from functools import cached_property\nclass A:\n"
     " @cached_property\n def x(self): return 1\na = A()\ndef shown(): return a.x", "shown()"),
    ("a lazy object", "from django.utils.functional import SimpleLazyObject\n"
     "a = SimpleLazyObject(lambda: [1])\ndef shown(): return a[0]", "shown()"),
    ("a lock", "import threading\na = threading.Lock()\ndef shown(): return a.acquire()",
     "shown()"),
    ("a logger", "import logging\na = logging.getLogger('made')\ndef shown(): return a.info('')",
     "shown()"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "run"), [pytest.param(*each[1:], id=each[0]) for each in STATE])
def test_what_changes_while_the_program_runs_is_no_part(monkeypatch, code, run):
    module = ModuleType("made_for_a_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(code, vars(module))
    before = digest(module.shown)
    exec(run, vars(module))
    forget()
    assert digest(module.shown) == before


# (what cannot be seen, code)
UNSEEN = [
    ("open() reads a file", "def shown(): return open('a.txt').read()"),
    ("read_text() reads a file", "def shown(a): return a.read_text()"),
    ("getenv() reads the environment", "import os\ndef shown(): return os.getenv('A')"),
    ("os.environ", "import os\ndef shown(): return os.environ['A']"),
    ("getattr() with a computed name", "def shown(a, b): return getattr(a, 'get_' + b)()"),
    ("eval() runs code that is data", "def shown(a): return eval(a)"),
    ("an import by a computed name",
     "from importlib import import_module\ndef shown(a): return import_module(a)"),
    ("requests asks another service", "requests = None\ndef shown(): return requests.get('/')"),
    ("requests asks another service", "def shown():\n import requests\n return requests.get('/')"),
    ("the code in A, which changes while the program runs",
     "A = {}\ndef register(f):\n A[f.__name__] = f\n return f\n@register\ndef f(): return 1\n"
     "def shown(a): return A[a]()"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "code"), [pytest.param(*each, id=each[0]) for each in UNSEEN])
def test_what_cannot_be_seen_is_listed_with_its_place(what, code):
    found = fingerprint_of(function_from(code)).unseen
    assert [each for each in found if each.endswith(f": {what}")], found
    assert all(each.startswith("made_for_a_test.") for each in found)


# (what is seen, code)
SEEN = [
    ("getattr() with a constant name", "def shown(a): return getattr(a, 'b', None)"),
    ("a relation called requests", "def shown(user): return user.requests.all()"),
    ("the environ of a request", "def shown(request): return request.environ['PATH_INFO']"),
    ("a cache of values", "A = {}\ndef shown(a):\n A[a] = 1\n return A[a]"),
    ("a counter", "A = 0\ndef shown():\n global A\n A += 1"),
    ("a logger", "import logging\na = logging.getLogger('x')\ndef shown(): a.info('x')"),
    ("a lock", "import threading\na = threading.Lock()\ndef shown(): return a"),
    ("a function called open of the project's", "def open(): return 1\ndef shown(): return open()"),
]  # fmt: skip


@pytest.mark.parametrize("code", [pytest.param(each[1], id=each[0]) for each in SEEN])
def test_what_is_no_danger_is_not_listed(code):
    assert fingerprint_of(function_from(code)).unseen == ()


def test_the_value_of_a_secret_is_in_no_part():
    code = "API_TOKEN = {!r}\ndef shown(): return API_TOKEN, settings.SECRET_KEY"
    found = []
    for value in ("first", "second"):
        with override_settings(SECRET_KEY=value):
            function = function_from(code.format(value), settings=django_settings)
            found.append(fingerprint_of(function))
    assert found[0] == found[1]
    assert len(found[0].unseen) == 2


def test_a_setting_that_changes_is_read_again():
    function = function_from("def shown(): return settings.SHOWN", settings=django_settings)
    with override_settings(SHOWN="a"):
        before = digest(function)
    with override_settings(SHOWN="b"):
        assert digest(function) != before
    with override_settings(SHOWN="a"):
        assert digest(function) == before


def test_all_threads_find_the_same_fingerprint():
    function = function_from(FUNCTIONS[-1][1])
    barrier = threading.Barrier(8)

    def find(_):
        barrier.wait(timeout=30)
        return digest(function, Person)

    for _ in range(5):
        forget()
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(find, range(8)))) == 1


def test_code_that_raises_while_it_is_read_is_unseen_and_raises_nothing():
    class Hostile:
        def __init__(self):
            self.value = Angry()

    class Angry(dict):
        def items(self):
            raise RuntimeError("not now")

    function = function_from("def shown(): return A", A=Hostile())
    found = fingerprint_of(function)
    assert found.unseen == ("made_for_a_test.A: RuntimeError while it was read",)


def test_the_fingerprint_has_96_bits():
    assert len(digest(first)) == 24


def test_a_view_shows_its_parts():
    def page(request):
        return HttpResponse(first())

    parts = fingerprint_of(page).parts
    assert f"{__name__}.first" in parts
    assert f"{__name__}.second" not in parts
    assert {"Python", "Django", "etag_versioning"} <= parts.keys()


TEAM = "tests.testapp.models.Team"


def test_a_related_model_counts_where_code_read_before_names_the_relation():
    # References are read from the last to the first.
    helper = function_from("def shown(person): return person.team.name")
    code = "def shown(): return a_model, helper(1)"
    assert TEAM in fingerprint_of(function_from(code, a_model=Person, helper=helper)).parts


def test_a_related_model_counts_where_code_read_later_names_the_relation():
    helper = function_from("def shown(person): return person.team.name")
    code = "def shown(): return the_model, helper(1)"
    assert TEAM in fingerprint_of(function_from(code, the_model=Person, helper=helper)).parts


def test_a_related_model_does_not_count_where_nothing_names_the_relation():
    code = "def shown(): return the_model.objects.first().name"
    assert TEAM not in fingerprint_of(function_from(code, the_model=Person)).parts


def test_a_cache_that_another_module_fills_by_its_name_is_no_part(monkeypatch):
    holder, filler = ModuleType("holder_for_a_test"), ModuleType("filler_for_a_test")
    for module in (holder, filler):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("CACHE = {}\ndef shown(a): return CACHE.get(a)", vars(holder))
    exec("from holder_for_a_test import CACHE\ndef fill(): CACHE[1] = 2", vars(filler))
    forget()
    before = digest(holder.shown)
    filler.fill()
    forget()
    assert digest(holder.shown) == before
