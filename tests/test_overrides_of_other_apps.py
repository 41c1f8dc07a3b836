"""
Overrides that other apps bring: state machines, tenants, dirty fields, lifecycles. Each of them
runs, whether its class stands in front of ours or behind it, with Django's own arguments.
"""

import pytest
from django.db import models, transaction

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel

pytestmark = pytest.mark.django_db


class TransitionLost(Exception):
    pass


class Machine(models.Model):
    """As django-fsm has it: the state that was read is in the WHERE, given by keyword."""

    step = models.CharField(max_length=10, default="new")

    class Meta:
        abstract = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.step_that_was_read = self.step

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        self.step_that_was_read = self.step

    def _do_update(self, base_qs, using, pk_val, values, update_fields, forced_update, *more):
        arguments = {} if not more else {"returning_fields": more[0]}
        updated = super()._do_update(
            base_qs=base_qs.filter(step=self.step_that_was_read),
            using=using,
            pk_val=pk_val,
            values=values,
            update_fields=update_fields,
            forced_update=forced_update,
            **arguments,
        )
        if not updated:
            raise TransitionLost
        return updated


class MachineAfter(VersionedModel, Machine):
    unversioned_fields = ("step",)

    class Meta:
        app_label = "testapp"


class MachineBefore(Machine, VersionedModel):
    unversioned_fields = ("step",)

    class Meta:
        app_label = "testapp"


@pytest.mark.parametrize("model", [MachineAfter, MachineBefore])
class TestStateMachines:
    def test_two_transitions_from_one_state_the_second_is_stale(self, model):
        key = model.objects.create().pk
        one, other = model.objects.get(pk=key), model.objects.get(pk=key)
        one.step, other.step = "accepted", "refused"
        one.save()
        with transaction.atomic():
            with pytest.raises(StaleWriteError):
                other.save()
            assert model.objects.count() == 1
        assert model.objects.get(pk=key).step == "accepted"

    def test_of_two_transitions_that_bump_nothing_one_wins(self, model):
        key = model.objects.create().pk
        one, other = model.objects.get(pk=key), model.objects.get(pk=key)
        one.step, other.step = "accepted", "refused"
        one.save(update_fields=["step"])
        with pytest.raises(TransitionLost), transaction.atomic():
            other.save(update_fields=["step"])
        row = model.objects.get(pk=key)
        assert (row.step, row.version) == ("accepted", 1)


class Adding(models.Model):
    """An override between ours and Django's that writes a further field."""

    name = models.CharField(max_length=10)
    seen = models.IntegerField(default=0)

    class Meta:
        abstract = True

    def save_base(self, *args, **kwargs):
        assert not args
        if kwargs.get("update_fields"):
            kwargs["update_fields"] = [*kwargs["update_fields"], "name"]
        return super().save_base(*args, **kwargs)


class AddingAfter(VersionedModel, Adding):
    unversioned_fields = ("seen",)

    class Meta:
        app_label = "testapp"


class AddingBefore(Adding, VersionedModel):
    unversioned_fields = ("seen",)

    class Meta:
        app_label = "testapp"


@pytest.mark.parametrize("model", [AddingAfter, AddingBefore])
def test_a_save_bumps_if_another_override_adds_a_field_that_clients_see(model):
    row = model.objects.create(name="a")
    stale = model.objects.get(pk=row.pk)
    row.name = "b"
    row.save(update_fields=["seen"])
    assert model.objects.get(pk=row.pk).version == row.version == 2
    with pytest.raises(StaleWriteError):
        stale.save(update_fields=["seen"])


class Inserting(models.QuerySet):
    """A queryset that looks at what Django inserts."""

    given: list = []

    def _insert(self, objs, fields, **kwargs):
        self.given.append(sorted(kwargs))
        return super()._insert(objs, fields, **kwargs)


class Inserted(VersionedModel):
    class Meta:
        app_label = "testapp"


def test_an_insert_passes_keywords_as_keywords():
    class Rows(type(Inserted.objects.all()), Inserting):
        pass

    Inserting.given.clear()
    Rows(Inserted).bulk_create([Inserted()])
    assert len(Inserting.given) == 1
    assert "using" in Inserting.given[0]
