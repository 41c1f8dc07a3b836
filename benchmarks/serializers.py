"""What the views of all subjects show: 15 fields, of which 3 are of joined tables."""

from rest_framework.serializers import ModelSerializer

from benchmarks.models import ConcurrentRow, Employee, Office, PlainRow, Role, Team, VersionedRow

COLUMNS = ["id", "name", "email", "title", "notes", "days", "active", "hired", "team"]


def named(named_model):
    class NamedSerializer(ModelSerializer):
        class Meta:
            model = named_model
            fields = ["id", "name", "city", "notes"]

    return NamedSerializer


class EmployeeSerializer(ModelSerializer):
    team = named(Team)()
    office = named(Office)()
    role = named(Role)()

    class Meta:
        model = Employee
        fields = [
            *("id", "name", "email", "title", "phone", "street", "city", "notes"),
            *("days", "salary", "active", "hired", "team", "office", "role"),
        ]


class PlainRowSerializer(ModelSerializer):
    class Meta:
        model = PlainRow
        fields = COLUMNS


class VersionedRowSerializer(ModelSerializer):
    class Meta:
        model = VersionedRow
        fields = COLUMNS


class ConcurrentRowSerializer(ModelSerializer):
    """The version goes to the client and back in the content: what is saved is what was read."""

    class Meta:
        model = ConcurrentRow
        fields = [*COLUMNS, "version"]
