"""
Fields that take the JSON type that the schema names, and no other.

Django REST framework reads 0 as the text "0", "5" as a number and "no" as a boolean,
as forms need it; of JSON, the schema says more.
"""

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class Strict:
    types = (str,)

    def to_internal_value(self, data):
        if not isinstance(data, self.types) or (isinstance(data, bool) and bool not in self.types):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictCharField(Strict, serializers.CharField):
    def __init__(self, **kwargs):
        # A text of spaces is no shorter than the schema allows.
        super().__init__(**{"trim_whitespace": False, **kwargs})


class StrictEmailField(Strict, serializers.EmailField):
    pass


# drf-spectacular's own pattern lets a text without digits pass.
@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?\d{1,8}(\.\d{1,2})?$"})
class StrictDecimalField(Strict, serializers.DecimalField):
    pass


class StrictIntegerField(Strict, serializers.IntegerField):
    types = (int, float)  # 1.0 is an integer, in JSON Schema.


class StrictBooleanField(Strict, serializers.BooleanField):
    types = (bool,)


class StrictKeyField(serializers.PrimaryKeyRelatedField):
    def to_internal_value(self, data):
        if not isinstance(data, int):
            self.fail("incorrect_type", data_type=type(data).__name__)
        return super().to_internal_value(data)


class StrictSerializer(serializers.ModelSerializer):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: StrictBooleanField,
        models.CharField: StrictCharField,
        models.DecimalField: StrictDecimalField,
        models.EmailField: StrictEmailField,
        models.PositiveIntegerField: StrictIntegerField,
        models.TextField: StrictCharField,
    }
