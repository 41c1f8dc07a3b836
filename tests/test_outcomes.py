"""An answer tells what became of the write: a success is committed, a failure is not."""

import contextlib
import json

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.signals import pre_delete
from django.db.transaction import TransactionManagementError
from django.http import HttpResponse
from django.test import RequestFactory

from etag_versioning.decorators import versioned_condition
from etag_versioning.exceptions import StaleWriteError
from tests.testapp.models import Login, Person, Plain, Team

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[False, True], ids=["autocommit", "outer transaction"])
def run(request):
    """Call a view as Django does, with and without ATOMIC_REQUESTS."""

    def call(view, *args, **kwargs):
        return transaction.atomic(view)(*args, **kwargs) if request.param else view(*args, **kwargs)

    return call


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def put(if_match="*"):
    headers = {} if if_match is None else {"If-Match": if_match}
    return RequestFactory().put("/", headers=headers)


class TestAnErrorThatTheViewCaught:
    @pytest.fixture(autouse=True)
    def taken(self):
        Login.objects.create(name="taken")

    @pytest.mark.parametrize("if_match", ["*", None])
    def test_is_raised_where_it_rolled_the_write_back(self, run, person, if_match):
        @versioned_condition(Person, if_match="optional")
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            with contextlib.suppress(IntegrityError):
                Login.objects.create(name="taken")
            return HttpResponse()

        with pytest.raises(TransactionManagementError, match=r"with transaction\.atomic\(\)") as e:
            run(view, put(if_match), pk=person.pk)
        assert isinstance(e.value.__cause__, IntegrityError)
        assert Person.objects.get().version == 1

    @pytest.mark.parametrize("status", [200, 201, 204, 302])
    def test_is_raised_where_several_tables_or_rows_were_to_be_written(self, person, status):
        @versioned_condition(Person)
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            with contextlib.suppress(IntegrityError):
                Login.objects.bulk_create([Login(name="free"), Login(name="taken")], batch_size=1)
            return HttpResponse(status=status)

        with pytest.raises(TransactionManagementError):
            view(put(), pk=person.pk)
        assert Person.objects.get().version == 1

    def test_of_one_statement_is_no_success_unless_the_write_is_committed(self, person):
        @versioned_condition(Person)
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            with contextlib.suppress(IntegrityError):
                Login.objects.bulk_create([Login(name="taken")])
            return HttpResponse()

        statuses = []
        with contextlib.suppress(TransactionManagementError):
            statuses.append(view(put(), pk=person.pk).status_code)
        # Before Django 6.0, and on PostgreSQL, the failed statement ends the transaction.
        assert (statuses, Person.objects.get().version) in [([200], 2), ([], 1)]

    def test_is_raised_where_raw_sql_failed(self, person):
        if connection.vendor != "postgresql":
            pytest.skip("goes on after a statement that failed")

        @versioned_condition(Person)
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            with connection.cursor() as cursor, contextlib.suppress(Exception):
                cursor.execute("SELECT 1 / 0")
            return HttpResponse()

        with pytest.raises(Exception, match=r"rolled back|aborted"):
            view(put(), pk=person.pk)
        assert Person.objects.get().version == 1

    def test_changes_nothing_in_a_block_of_its_own(self, run, person):
        @versioned_condition(Person)
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            try:
                with transaction.atomic():
                    Login.objects.create(name="taken")
            except IntegrityError:
                pass
            return HttpResponse()

        assert run(view, put(), pk=person.pk).status_code == 200
        assert Person.objects.get().version == 2

    def test_may_be_answered_with_an_error(self, run, person):
        @versioned_condition(Person)
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            try:
                Login.objects.create(name="taken")
            except IntegrityError:
                return HttpResponse(status=400)

        answer = run(view, put(), pk=person.pk)
        assert answer.status_code == 400
        assert "ETag" not in answer
        assert Person.objects.get().version == 1

    def test_of_contention_is_503(self, person):
        @versioned_condition(Person)
        def view(request, pk):
            try:
                with transaction.mark_for_rollback_on_error(using="default"):
                    raise contention()
            except OperationalError:
                pass
            return HttpResponse()

        assert view(put(), pk=person.pk).status_code == 503

    def test_of_an_earlier_request_is_forgotten(self, person):
        @versioned_condition(Person)
        def caught(request, pk):
            try:
                Login.objects.create(name="taken")
            except IntegrityError:
                return HttpResponse(status=400)

        @versioned_condition(Person)
        def left_by_an_error(request, pk):
            with contextlib.suppress(ValueError), transaction.atomic(savepoint=False):
                raise ValueError
            return HttpResponse()

        caught(put(), pk=person.pk)
        with pytest.raises(TransactionManagementError) as error:
            left_by_an_error(put(), pk=person.pk)
        assert error.value.__cause__ is None

    def test_is_raised_where_a_signal_stopped_a_deletion(self, run, person):
        """Django deletes in a block without a savepoint."""
        row = Plain.objects.create()

        def refuse(sender, **kwargs):
            raise ValueError

        @versioned_condition(Person)
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            with contextlib.suppress(ValueError):
                row.delete()
            return HttpResponse()

        pre_delete.connect(refuse, Plain)
        try:
            with pytest.raises(TransactionManagementError):
                run(view, put(), pk=person.pk)
        finally:
            pre_delete.disconnect(refuse, Plain)
        assert Person.objects.get().version == 1


class TestADryRun:
    """``transaction.set_rollback(True)`` is meant: the view's answer stands."""

    @pytest.mark.parametrize("if_match", ["*", None])
    def test_answers_as_the_view_does_and_writes_nothing(self, run, person, if_match):
        @versioned_condition(Person, if_match="optional")
        def view(request, pk):
            Person.objects.filter(pk=pk).update(name="b")
            transaction.set_rollback(True)
            return HttpResponse("would be b")

        answer = run(view, put(if_match), pk=person.pk)
        assert (answer.status_code, answer.content) == (200, b"would be b")
        assert "ETag" not in answer
        assert Person.objects.values_list("name", "version").get() == ("a", 1)

    def test_that_catches_an_error_too_is_meant(self, run, person):
        Login.objects.create(name="taken")

        @versioned_condition(Person)
        def view(request, pk):
            with contextlib.suppress(IntegrityError):
                Login.objects.create(name="taken")
            transaction.set_rollback(True)
            return HttpResponse("the name is taken")

        assert run(view, put(), pk=person.pk).status_code == 200

    def test_that_was_taken_back_leaves_a_caught_error_one(self, run, person):
        Login.objects.create(name="taken")

        @versioned_condition(Person)
        def view(request, pk):
            transaction.set_rollback(True)
            transaction.set_rollback(False)
            with contextlib.suppress(IntegrityError):
                Login.objects.create(name="taken")
            return HttpResponse()

        with pytest.raises(TransactionManagementError):
            run(view, put(), pk=person.pk)

    def test_of_a_savepoint_leaves_a_caught_error_one(self, run, person):
        Login.objects.create(name="taken")

        @versioned_condition(Person)
        def view(request, pk):
            with transaction.atomic():
                transaction.set_rollback(True)
            with contextlib.suppress(IntegrityError):
                Login.objects.create(name="taken")
            return HttpResponse()

        with pytest.raises(TransactionManagementError):
            run(view, put(), pk=person.pk)

    def test_leaves_the_connection_as_it_was(self, run, person):
        @versioned_condition(Person)
        def view(request, pk):
            transaction.set_rollback(True)
            return HttpResponse()

        run(view, put(), pk=person.pk)
        assert "set_rollback" not in vars(connection)


async def async_dry_run(request, pk):
    def save_and_roll_back():
        with transaction.atomic():
            Person.objects.get(pk=pk).save()
            transaction.set_rollback(True)

    await sync_to_async(save_and_roll_back)()
    return HttpResponse("dry")


@pytest.mark.usefixtures("close_connections")
async def test_a_dry_run_in_a_coroutine_answers_as_the_view_does(async_rf):
    person = await Person.objects.acreate(name="a")
    view = versioned_condition(Person)(async_dry_run)
    answer = await view(async_rf.put("/", headers={"If-Match": "*"}), pk=person.pk)
    assert (answer.status_code, answer.content) == (200, b"dry")
    assert "ETag" not in answer
    assert (await Person.objects.aget()).version == 1


def contention():
    """As each engine's driver says that it gave up."""
    cause = Exception()
    cause.sqlstate, cause.sqlite_errorcode = "55P03", 5
    error = OperationalError(1205, "lock wait timeout")
    error.__cause__ = cause
    return error


class TestAnErrorAfterTheCommit:
    @pytest.mark.parametrize(
        "error", [StaleWriteError(Team, 1, "default"), contention(), IntegrityError("x")], ids=str
    )
    @pytest.mark.parametrize("if_match", ["*", None])
    def test_stays_what_it_is(self, run, person, error, if_match):
        def fail():
            raise error

        @versioned_condition(Person, if_match="optional")
        def view(request, pk):
            Person.objects.get(pk=pk).save()
            transaction.on_commit(fail)
            return HttpResponse()

        with pytest.raises(type(error)) as raised:
            run(view, put(if_match), pk=person.pk)
        assert raised.value is error
        assert Person.objects.get().version == 2

    def test_stays_what_it_is_for_a_row_that_was_created(self, run):
        error = IntegrityError("x")

        def fail():
            raise error

        @versioned_condition(Person, allow_create=True)
        def view(request, pk):
            Person.objects.create(pk=pk, name="a")
            transaction.on_commit(fail)
            return HttpResponse(status=201)

        with pytest.raises(IntegrityError):
            run(view, RequestFactory().put("/", headers={"If-None-Match": "*"}), pk=7)
        assert Person.objects.count() == 1


async def async_after_a_write(request, pk):
    await (await Person.objects.aget(pk=pk)).asave()
    raise StaleWriteError(Team, 1, "default")


@pytest.mark.usefixtures("close_connections")
async def test_a_coroutine_that_has_written_is_not_told_that_nothing_was(async_rf):
    person = await Person.objects.acreate(name="a")
    view = versioned_condition(Person)(async_after_a_write)
    answer = await view(async_rf.put("/", headers={"If-Match": "*"}), pk=person.pk)
    assert answer.status_code == 409
    assert "Nothing was written" not in json.loads(answer.content)["message"]
    assert (await Person.objects.aget()).version == 2


class TestOthersWhoAreInTheWay:
    def test_the_read_after_a_lost_race_may_meet_a_lock_too(self, person):
        reads = []

        def source(request, pk):
            reads.append(pk)
            if len(reads) > 1:
                raise contention()
            return Person.objects.filter(pk=pk)

        @versioned_condition(source)
        def view(request, pk):
            raise StaleWriteError(Person, pk, "default")

        answer = view(put(), pk=person.pk)
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")

    def test_a_statement_that_timed_out_is_503(self, person):
        @versioned_condition(Person)
        def view(request, pk):
            cause = Exception()
            cause.sqlstate = "57014"
            raise OperationalError("canceling statement due to statement timeout") from cause

        assert view(put(), pk=person.pk).status_code == 503

    def test_a_value_that_must_be_unique_is_409(self):
        Login.objects.create(name="taken")
        login = Login.objects.create(name="free")

        @versioned_condition(Login)
        def view(request, pk):
            login = Login.objects.get(pk=pk)
            login.name = "taken"
            login.save()

        answer = view(put(), pk=login.pk)
        assert answer.status_code == 409
        assert json.loads(answer.content)["reason"] == "duplicate"
