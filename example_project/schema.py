"""What the API of the example answers, as OpenAPI: /api/schema/."""

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from etag_versioning.rest_framework.schema import VersionedSchemaMixin


class ErrorSerializer(serializers.Serializer):
    """Django REST framework's body of 404, 406 and 415."""

    detail = serializers.CharField()


class ErrorsSchema(AutoSchema):
    """An ``AutoSchema`` of the project's own: it names Django REST framework's errors too."""

    def get_operation(self, *args, **kwargs):
        operation = super().get_operation(*args, **kwargs)
        errors = self.get_errors() if operation is not None else {}
        for code, (body, description) in errors.items():
            response = self._get_response_for_code(OpenApiResponse(body, description), code)
            operation["responses"].setdefault(code, response)
        return operation

    def get_errors(self):
        errors = {"406": (ErrorSerializer, "There is no representation that Accept asks for.")}
        if "{" in self.path or self.method == "GET":
            errors["404"] = (ErrorSerializer, "There is no such row, or no such page.")
        if self.method in ("POST", "PUT", "PATCH"):
            errors["400"] = (None, "By the names of fields, or in detail: what is wrong.")
            errors["415"] = (ErrorSerializer, "The content is no JSON.")
        return errors


class ExampleSchema(VersionedSchemaMixin, ErrorsSchema):
    pass
