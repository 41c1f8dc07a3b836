"""
``as_view()`` reads code while the URLconf is loaded, so that no request waits for it. It must read
nothing that is not complete yet, and load nothing.
"""

from .project import FILES

NAME = "shop.api.ProductViewSet.retrieve (json)"


def test_models_and_serializers_are_read_before_the_first_request(project, unedited):
    code = """
import shop.models, shop.serializers
from etag_versioning.code.fingerprint import _nodes
for each in (shop.models.Product, shop.models.Shelf, shop.serializers.ReviewSerializer):
    assert id(each) in _nodes, each
"""
    assert project.fingerprints(code) == unedited


def test_what_was_read_early_is_what_is_read_later(project, unedited):
    code = "from etag_versioning.code.fingerprint import forget; forget()"
    assert project.fingerprints(code) == unedited


def test_no_module_is_imported_early(project, unedited):
    code = "import sys; assert 'shop.badges' not in sys.modules"
    assert project.fingerprints(code) == unedited


def test_a_name_that_is_bound_after_as_view_is_read_all_the_same(project):
    view = FILES["shop/api.py"].replace(
        "    def perform_create",
        "    def get_renderer_context(self):\n"
        "        return {**super().get_renderer_context(), 'note': NOTE, 'more': helper()}\n\n"
        "    def perform_create",
    )
    view += "\n\ndetail = ProductViewSet.as_view({'get': 'retrieve'})\n"
    below = "NOTE = 'first'\n\n\ndef helper():\n    return 1\n"
    project.write("shop/api.py", view + below)
    found = [project.fingerprints()[NAME]]
    project.write("shop/api.py", view + below.replace("first", "second"))
    found.append(project.fingerprints()[NAME])
    project.write("shop/api.py", view + below.replace("return 1", "return 2"))
    found.append(project.fingerprints()[NAME])
    assert len(set(found)) == 3


def test_a_cache_that_a_later_function_fills_is_no_constant(project):
    view = (
        FILES["shop/api.py"]
        .replace(
            "    def perform_create",
            "    seen = {}\n\n    def get_renderer_context(self):\n"
            "        return {**self.seen, 'table': TABLE}\n\n    def perform_create",
        )
        .replace("class IsOpen", "TABLE = {}\n\n\nclass IsOpen")
    )
    view += "\n\ndetail = ProductViewSet.as_view({'get': 'retrieve'})\n"
    view += "\n\ndef fill():\n    ProductViewSet.seen['a'] = TABLE['b'] = 1\n"
    project.write("shop/api.py", view)
    first = project.fingerprints()
    assert project.fingerprints("import shop.api; shop.api.fill()") == first
