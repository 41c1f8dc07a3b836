"""An admin of the test models, and what a browser sends of its pages."""

from html.parser import HTMLParser

from django.contrib import admin

SETTINGS = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
}


class PageForm(HTMLParser):
    """The fields of the form of a page, as a browser would send them."""

    def __init__(self, response):
        super().__init__()
        self.inside = False
        self.data = {}
        self.select = self.area = None
        self.feed(response.content.decode())

    def add(self, name, value):
        if name in self.data:
            known = self.data[name]
            self.data[name] = [*(known if isinstance(known, list) else [known]), value]
        else:
            self.data[name] = value

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            is_other = given.get("id") == "logout-form"
            self.inside = given.get("method") == "post" and not is_other
        if not self.inside:
            return
        kind, name = given.get("type", "text"), given.get("name")
        if tag == "input" and name and kind not in ("submit", "file", "image"):
            if kind not in ("checkbox", "radio") or "checked" in given:
                default = "on" if kind == "checkbox" else ""
                self.add(name, given.get("value", default))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.add(self.select, given.get("value", ""))
        elif tag == "textarea":
            self.area = name
            self.add(name, "")

    def handle_data(self, data):
        if self.area:
            self.data[self.area] += data.removeprefix("\r\n").removeprefix("\n")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.area = None


def sent(response, **values):
    """What a browser sends of a page's form, with what the person entered."""
    return PageForm(response).data | values


def urls(*registered):
    """The addresses of an admin with these models; each is (model, class of its admin)."""
    site = admin.AdminSite()
    for model, options in registered:
        site.register(model, options)
    return site.urls
