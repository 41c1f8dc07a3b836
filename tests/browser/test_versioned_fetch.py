"""The client for browsers, in Chromium: with its cache, its cookies, and Django's CSRF token."""

import pytest

from tests.testapp.models import Person

from . import site

pytestmark = pytest.mark.django_db(transaction=True)

SETUP = """
const [address, done] = [arguments[0], arguments[arguments.length - 1]];
const run = async ({ VersionedClient, mergeFields }) => {
  const client = new VersionedClient();
  const somebodyElse = (json) =>
    new VersionedClient().fetch(address, { method: "PATCH", json, headers: { "If-Match": "*" } });
  %s
};
const module = import("/static/etag_versioning/versioned-fetch.js");
module.then(run).then(done, (error) => done(`${error}`));
"""


def run(visitor, person, script):
    """What a script returns that has a client, the address of a person, and somebodyElse()."""
    return visitor.driver.execute_async_script(SETUP % script, f"/people/{person.pk}/")


def exchanges(person):
    return [
        (one.method, one.status, bool(one.if_match), bool(one.if_none_match))
        for one in site.journal
        if one.path == f"/people/{person.pk}/"
    ]


def test_what_is_read_again_is_a_304_that_becomes_a_200(editor, person):
    script = """
    const answers = [await client.fetch(address), await client.fetch(address)];
    const names = await Promise.all(answers.map(async (answer) => (await answer.json()).name));
    return [names, answers.map(({ status, ok, url, type }) => [status, ok, url, type])];
    """
    names, answers = run(editor, person, script)
    assert names == ["Grace", "Grace"]
    assert answers == [[200, True, f"{editor.address}/people/{person.pk}/", "basic"]] * 2
    assert exchanges(person) == [("GET", 200, False, False), ("GET", 304, False, True)]


def test_a_write_sends_the_tag_and_the_csrf_token(editor, person):
    script = """
    await client.fetch(address);
    return (await client.fetch(address, { method: "PATCH", json: { name: "Ada" } })).status;
    """
    assert run(editor, person, script) == 200
    assert Person.objects.get().name == "Ada"
    assert exchanges(person)[-1] == ("PATCH", 200, True, False)


def test_after_a_412_both_changes_are_kept(editor, person):
    script = """
    await client.fetch(address);
    await somebodyElse({ days: 9 });
    const merge = (conflict) => mergeFields(conflict).merged;
    return (await client.fetch(address, { method: "PATCH", json: { name: "Ada" }, merge })).status;
    """
    assert run(editor, person, script) == 200
    person.refresh_from_db()
    assert (person.name, person.days) == ("Ada", 9)
    # The second GET passes the browser's cache, which has the old content.
    assert [method for method, *_ in exchanges(person)] == ["GET", "PATCH", "PATCH", "GET", "PATCH"]
