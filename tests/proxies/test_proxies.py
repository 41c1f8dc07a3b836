"""What a client sees through each proxy: the statuses of a direct conversation."""

import pytest


def test_a_conditional_get_gives_304(proxy, http, number):
    url = f"{proxy.address}/users/{number}/"
    full = http.get(url)
    assert full.status_code == 200
    assert full.json()["id"] == number
    again = http.get(url, headers={"If-None-Match": full.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_head_has_the_tag_of_get(proxy, http, number):
    url = f"{proxy.address}/users/{number}/"
    head = http.head(url, headers={"Accept-Encoding": "identity"})
    full = http.get(url, headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["ETag"] == full.headers["ETag"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("path", ["/users/{}/", "/api/users/{}/", "/api/products/{}/"])
def test_a_write_needs_the_tag_as_it_came(proxy, http, number, method, path):
    url = proxy.address + path.format(number)
    read = http.get(url)
    tag = {"If-Match": read.headers["ETag"]}
    field = "stock" if "stock" in read.json() else "leave_days"
    body = read.json() | {field: read.json()[field] + 1}
    assert http.request(method, url, json=body).status_code == 428
    written = http.request(method, url, json=body, headers=tag)
    assert written.status_code == 200
    stale = http.request(method, url, json=body, headers=tag)
    assert stale.status_code == 412
    assert stale.json()["current_etag"] not in (None, tag["If-Match"])


def test_deleting_needs_it_too(proxy, http, number):
    url = f"{proxy.address}/users/{number}/"
    tag = {"If-Match": http.get(url).headers["ETag"]}
    days = {"leave_days": 1}
    written = http.patch(url, json=days, headers=tag)
    assert http.delete(url, headers=tag).status_code == 412
    assert http.delete(url, headers={"If-Match": written.headers["ETag"]}).status_code == 204
    assert http.get(url, headers={"Cache-Control": "no-cache"}).status_code == 404


def test_a_client_that_fetches_again_after_412_gets_the_new_tag(proxy, origin, http, number):
    """
    As the 412 advises: with ``Cache-Control: no-cache``.

    Until then, caches go on answering with the old copy for its max-age, unless
    the write went through them and they heed it: Squid does, nginx never.
    """
    path = f"/api/products/{number}/"
    old = http.get(proxy.address + path).headers["ETag"]
    change = {"stock": 7}
    direct = {"If-Match": http.get(origin.address + path).headers["ETag"]}
    assert http.patch(origin.address + path, json=change, headers=direct).status_code == 200
    stale = http.patch(proxy.address + path, json=change, headers={"If-Match": old})
    assert stale.status_code == 412
    read = http.get(proxy.address + path, headers={"Cache-Control": "no-cache"})
    assert read.json()["stock"] == 7
    tag = {"If-Match": read.headers["ETag"]}
    assert http.patch(proxy.address + path, json=change, headers=tag).status_code == 200


def test_gzip_weakens_or_lengthens_a_tag(proxies, http, number):
    """The premise of the tests above: these two proxies do change it."""
    path = f"/users/{number}/"
    whole = {"Accept-Encoding": "identity"}
    changed = {"nginx gzip": 'W/"{}"', "Apache mod_deflate": '"{}-gzip"'}
    for name, form in changed.items():
        url = proxies(name).address + path
        plain = http.get(url, headers=whole).headers["ETag"]
        packed = http.get(url)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["ETag"] == form.format(plain.strip('"'))
