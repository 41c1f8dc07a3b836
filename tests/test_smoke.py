import pytest
from django.db import connection, transaction
from tests.testapp.models import *
from etag_versioning.exceptions import *
pytestmark = pytest.mark.django_db(databases=["default","other"], transaction=True)

def test_smoke(django_assert_num_queries):
    for make in (lambda: Person(name="a"), lambda: Counter(), lambda: Renamed(name="x"), lambda: Restaurant(name="r"), lambda: Extended(name="e"), lambda: PersonProxy(name="p"), lambda: Seat(row="a", number=1), lambda: Hidden(name="h")):
        o = make(); o.save()
        M = type(o)
        a = M.objects.get(pk=o.pk); b = M.objects.get(pk=o.pk)
        from etag_versioning.columns import state_columns
        c = state_columns(M)
        before = c.state_of(b)
        assert c.state_of(a) == c.state_of(o), M
        a.save()
        with pytest.raises(StaleWriteError):
            b.save()
        assert c.state_of(b) == before
        with transaction.atomic():
            with pytest.raises(StaleWriteError):
                b.save()
            with pytest.raises(StaleWriteError):
                b.delete()
            assert M.objects.filter(pk=o.pk).update(**{c.version.name+"": 7}) == 1
        a.refresh_from_db()
        a.save(update_fields=["pk" if False else [f.name for f in M._meta.concrete_fields if f not in M._meta.pk_fields and not f.primary_key and f not in (c.version,c.stamp)][0]])
        pk = a.pk
        fresh = M.objects.get(pk=pk)
        assert c.state_of(fresh) == c.state_of(a)
        a.delete()
        assert not M.objects.filter(pk=pk).exists()
        with pytest.raises(StaleWriteError):
            fresh.save()
    n = Note(text="n"); n.save(); t = n.updated_at; n.save(); assert n.updated_at > t
    n2 = Note.objects.get(); assert n2.updated_at == n.updated_at
