"""What everybody writes first: check the tag, then save. It loses updates."""

from django.db import models
from django.http import HttpResponse, JsonResponse

from example_project.directory.forms import UserForm
from example_project.directory.models import User
from example_project.directory.views import user_as_dict, users


def naive_user(request, user_id):
    user = users.get(pk=user_id)
    etag = f'"{user.version}"'
    if request.method == "PUT":
        if request.headers.get("If-Match") != etag:
            return HttpResponse(status=412)
        form = UserForm.from_request(request, user)
        if not form.is_valid():
            return JsonResponse(form.errors, status=400)
        # An ordinary save: one UPDATE by key, with no state in its WHERE.
        values = {name: getattr(form.instance, name) for name in UserForm._meta.fields}
        rows = models.QuerySet(User).filter(pk=user_id)
        rows.update(**values, version=user.version + 1)
        etag = f'"{user.version + 1}"'
    return JsonResponse(user_as_dict(user), headers={"ETag": etag})
