"""The page of errors lists each id, and no other."""

import re
from pathlib import Path

import etag_versioning

ROOT = Path(etag_versioning.__file__).parent


def test_the_page_of_errors_has_each_id_of_the_checks_and_no_other():
    folders = ("checks", "contrib/admin", "rest_framework")
    modules = [module for folder in folders for module in ROOT.joinpath(folder).glob("*.py")]
    code = "".join(module.read_text("utf-8") for module in modules)
    given = set(re.findall(r'["."]([EW]\d{3})"', code))
    errors = ROOT.parent.joinpath("docs/errors.md").read_text("utf-8")
    table = errors.partition("## System checks")[2]
    listed = set(re.findall(r"^\| (.+?) \|", table, re.MULTILINE)) - {"id", "---"}
    assert {each.strip("`") for line in listed for each in line.split(", ")} == given
