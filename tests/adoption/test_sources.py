import pytest

from .sources import Source


@pytest.fixture
def source(tmp_path):
    (tmp_path / "models.py").write_text("A = 1\nB = 2\nA = 3\n")
    return Source(tmp_path)


def test_lines_are_inserted_below_the_first_line_that_begins_so(source):
    source.insert_after("models.py", "A =", "C = 4\n")
    assert (source.folder / "models.py").read_text() == "A = 1\nC = 4\nB = 2\nA = 3\n"


def test_each_occurrence_is_replaced(source):
    source.replace("models.py", "A", "(D)")
    assert (source.folder / "models.py").read_text() == "(D) = 1\nB = 2\n(D) = 3\n"


def test_an_edit_that_finds_nothing_is_an_error(source):
    with pytest.raises(LookupError, match="nothing that matches"):
        source.replace("models.py", "class Page", "class Page(VersionedModel)")
