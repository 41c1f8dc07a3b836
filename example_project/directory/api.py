from rest_framework import serializers
from rest_framework.viewsets import ModelViewSet

from etag_versioning.rest_framework.mixins import VersionedViewSetMixin
from example_project.content import StrictJSONParser
from example_project.fields import StrictKeyField, StrictSerializer

from .models import Office, PhoneNumber, Team, User


class TeamSerializer(serializers.ModelSerializer):
    class Meta:
        model = Team
        fields = ("id", "name", "purpose")


class OfficeSerializer(serializers.ModelSerializer):
    class Meta:
        model = Office
        fields = ("id", "name", "city", "country")


class PhoneNumberSerializer(serializers.ModelSerializer):
    class Meta:
        model = PhoneNumber
        fields = ("kind", "number")


class UserSerializer(StrictSerializer):
    team = TeamSerializer(read_only=True)
    office = OfficeSerializer(read_only=True)
    phone_numbers = PhoneNumberSerializer(many=True, read_only=True)
    team_id = StrictKeyField(source="team", queryset=Team.objects.all())
    office_id = StrictKeyField(source="office", queryset=Office.objects.all())

    class Meta:
        model = User
        fields = (
            "id",
            "version",
            "updated_at",
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
            "team_id",
            "office_id",
            "team",
            "office",
            "phone_numbers",
        )


class UserViewSet(VersionedViewSetMixin, ModelViewSet):
    queryset = User.objects.select_related("team", "office").prefetch_related("phone_numbers")
    serializer_class = UserSerializer
    parser_classes = (StrictJSONParser,)
