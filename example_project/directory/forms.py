"""What the plain views accept: a user as JSON, checked by a model form."""

from django import forms

from example_project.content import read_json

from .models import User


class BadRequest(Exception):
    """What is wrong with a request's content, by field."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = errors


class UserForm(forms.ModelForm):
    class Meta:
        model = User
        fields = (
            "username",
            "first_name",
            "last_name",
            "email",
            "job_title",
            "department",
            "employee_number",
            "biography",
            "birth_date",
            "hired_on",
            "salary_band",
            "leave_days",
            "desk",
            "time_zone",
            "is_active",
            "team",
            "office",
        )

    @classmethod
    def from_request(cls, request, user):
        """
        A form bound to the request's JSON: all of the fields for PUT, and any of
        them for PATCH. A field that no client writes, like ``id``, is ignored.
        """
        data = _read_object(request)
        for relation in ("team", "office"):
            if f"{relation}_id" in data:
                data[relation] = data.pop(f"{relation}_id")
            elif isinstance(data.get(relation), dict):
                del data[relation]
        given = {name: data[name] for name in cls._meta.fields if name in data}
        if request.method == "PATCH":
            given = forms.model_to_dict(user, cls._meta.fields) | given
        missing = [name for name in cls._meta.fields if name not in given]
        if missing:
            raise BadRequest({name: ["This field is required."] for name in missing})
        nested = [name for name, value in given.items() if isinstance(value, dict | list)]
        if nested:
            raise BadRequest({name: ["Give a single value."] for name in nested})
        # A form takes texts, as a browser sends them.
        texts = {name: value if value is None else str(value) for name, value in given.items()}
        return cls(texts, instance=user)


def _read_object(request):
    try:
        data = read_json(request.body)
    except ValueError as error:
        raise BadRequest({"body": [f"The content is no valid JSON: {error}"]}) from None
    if not isinstance(data, dict):
        raise BadRequest({"body": ["The content must be a JSON object."]})
    return data
