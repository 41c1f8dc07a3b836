"""One POST, or PUT of an absent row: the unique constraint decides who creates it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as InvalidKey
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.http import Http404
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.fields import SkipField, empty
from rest_framework.response import Response

from ..exceptions import StaleWriteError
from ..http import headers
from ..http.etags import ANY, parse_entity_tags
from ..http.preconditions import (
    CONFLICT,
    DUPLICATE,
    EXISTS,
    UNAVAILABLE,
    ConditionalHeaders,
    Validators,
)
from ..http.representation import PLAIN
from ..orm.database_errors import (
    is_contention,
    is_duplicate,
    violates_foreign_key,
    was_raised_after_commit,
)
from ..orm.locks import StoredRow
from ..orm.state_columns import has_version, state_columns
from ..sources.absent_rows import CreationGuard, DetachedCreationGuard
from ..sources.base import locking
from ..sources.guarded_block import GuardedBlock
from ..sources.rows import Row, for_write, is_impossible
from ..sources.validator_query import read_row
from .collection import listed_validators
from .conflicts import conflict
from .current import acting, address_of, answers_as_get, read_representation
from .exceptions import LostRace, PreconditionError, optional
from .hooks import hooked
from .versioning import NO_SUCH_KEY

if TYPE_CHECKING:
    from .generic_views import GenericView

__all__ = ["GuardedCreate", "is_versioned", "names_a_duplicate"]

# Finds, in a queryset, the row that a request was to create.
Find = Callable[[Any], Any]

# The errors that may mean that the row exists already.
REFUSALS = (ValidationError, DatabaseError, StaleWriteError)


class GuardedCreate:
    """
    Creates a row. If another request created it first, answers 409 or 412.

    Args:
        view: the view, at its request.
    """

    def __init__(self, view: Any) -> None:
        self.view: GenericView = view
        self.created: Any = None
        self.answer: Any = None
        self.row: Row | None = None
        # Finds the row that ``If-None-Match: *`` forbids.
        self.find: Find | None = None
        self.guard: CreationGuard | None = None
        value = view.versioning.conditions.if_none_match
        self.only_new = value is not None and parse_entity_tags(value) is ANY

    def post(self, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        """Call DRF's ``create()``, under the preconditions of a POST."""
        self.view.versioning.check_media_type()
        self.check_preconditions()
        self.find = self.find_by_content if self.only_new else None
        return self.attempt(partial(method, *args, **kwargs))

    def check_preconditions(self) -> None:
        """
        Go on only if the preconditions of a POST hold. If-Match is about the collection,
        which is the resource at this address (RFC 9110 §13.1.1). The other headers are about
        the row that is to be created, so no state of it can be required.
        """
        view, conditions = self.view, self.view.versioning.conditions
        if conditions.if_match is None:
            view.versioning.check_preconditions(None, requires=False)
            return
        # ``*`` is true without reading the collection.
        tags = isinstance(parse_entity_tags(conditions.if_match), tuple)
        current = listed_validators(view) if tags else None
        view.versioning.check_preconditions(
            current or Validators(), conditions=ConditionalHeaders(if_match=conditions.if_match)
        )

    def handle(self, handler: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        """Call a ``create()`` of the project's own, whose writes are not known."""
        return self.post(self.handled, handler, *args, **kwargs)

    def handled(self, handler: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        model = self.view.get_queryset().model if self.find is not None else None
        with hooked(self.view, True), self.guarded(model):
            return handler(*args, **kwargs)

    def put(self) -> Response:
        """Create the row whose address this is, as ``create()`` would."""
        view = self.view
        view.versioning.check_media_type()
        with acting(view, "POST", "create"):
            view.check_permissions(view.request)
        key = self.key()
        view.versioning.check_preconditions(None)
        self.find = partial(self.find_at, key)
        response = self.attempt(partial(self.create_at, key))
        with optional("the location of what was created"):
            response.headers.setdefault("Location", view.request.build_absolute_uri())
            if self.shows_the_row():
                # RFC 9110 §8.7: the content is the representation at this address.
                response.headers.setdefault("Content-Location", view.request.get_full_path())
        return response

    def attempt(self, method: Callable[[], Response]) -> Response:
        original = getattr(self.view, "perform_create", _save)
        try:
            with hooked(self.view, perform_create=partial(self.perform, original)):
                self.answer = response = method()
        except REFUSALS as error:
            self.refuse(error, self.find)
            if self.find is None:
                raise
            raise LostRace(
                partial(self.by_row, self.find, error), partial(self.by_error, self.find, error)
            ) from error
        if response.status_code == 201 and self.row is not None:
            self.finish(response, self.row)
        return response

    @staticmethod
    def refuse(error: Exception, find: Find | None) -> None:
        """Raise the answer to an error that is the same whatever rows there are."""
        if was_raised_after_commit(error):
            raise error
        if violates_foreign_key(error) or (find is None and is_duplicate(error)):
            raise PreconditionError(CONFLICT) from error

    def perform(self, original: Callable[[Any], None], serializer: Any) -> None:
        model = getattr(getattr(serializer, "Meta", None), "model", None)
        using = None if model is None else router.db_for_write(model)
        if using is None:
            original(serializer)
            self.note_created(serializer)
            return
        with transaction.atomic(using=using), self.guarded(model), GuardedBlock(using) as block:
            original(serializer)
            self.note_created(serializer)
            if connections[using].needs_rollback:
                self.row = None  # A dry run rolls its row back, so there is no tag to send.
            elif self.row is not None and block.statements:
                # An UPDATE may have written the new row past its instance.
                self.row = self.read_again(self.created)

    def note_created(self, serializer: Any) -> None:
        self.created = serializer.instance
        if is_versioned(self.created):
            self.row = self.view.versioning.row_of(self.created)

    @contextmanager
    def guarded(self, model: Any, *, detached: bool = False) -> Iterator[None]:
        """
        For the block, refuse writes of a row that another request has created, as
        ``update_or_create()`` would do them; in one transaction, unless ``detached``.
        """
        columns = None if model is None else state_columns(model)
        if columns is None or columns.version is None or not self.find or self.guard:
            yield
            return
        using = router.db_for_write(model)
        kind = DetachedCreationGuard if detached else CreationGuard
        self.guard = guard = kind(
            StoredRow(columns, using, None),
            look=partial(self.look, model._base_manager.using(using)),
        )
        with ExitStack() as block:
            if not detached:
                block.enter_context(guard.locking())
            with guard.watch():
                yield
            if not detached:
                guard.check(self.created)

    def look(self, rows: Any) -> Row | None:
        """The row that was to be created, even if the view's queryset leaves it out."""
        assert self.find is not None
        found = self.find(locking(rows.all()))
        return None if found is None else self.view.versioning.row_of(found)

    def finish(self, response: Any, row: Row) -> None:
        """Put tag and location on the answer. The row is committed, so no error may come out."""
        with optional("tag and location of what was created"):
            self.set_headers(response, row)

    def set_headers(self, response: Any, row: Row) -> None:
        # Terms would be read after the body was made, and could name content that is not in it.
        shows = self.shows_the_row() and not self.view.get_etag_extra()
        representation = read_representation(self.view) if shows else PLAIN
        if headers.shows_new_tag(self.view.request.method or "", response):
            response.headers.setdefault("ETag", str(row.validators(representation).etag))
        location = address_of(self.view, self.created)
        if location is not None:
            response.headers.setdefault("Location", location)

    def shows_the_row(self) -> bool:
        """Whether the answer is made as that to a GET is."""
        return isinstance(self.answer, Response) and answers_as_get(self.view)

    def read_again(self, created: Any) -> Row | None:
        """The new row, which other writes of the request may have touched since."""
        rows = for_write(type(created)._base_manager.filter(pk=created.pk))
        row = read_row(rows, self.view.tag_key)
        if row is not None and row.state != self.view.versioning.row_of(created).state:
            created.refresh_from_db(using=row.using)
        return row

    # At an address.

    def key(self) -> Any:
        """The lookup's value, as a column; 404 where no row can have it."""
        view = self.view
        value = view.kwargs[view.lookup_url_kwarg or view.lookup_field]
        if is_impossible(value):
            raise Http404
        try:
            return self.column().clean(value, None)
        except InvalidKey:
            raise Http404 from None

    def column(self) -> Any:
        """The column that holds the key: the parent's, where the row's own is a link to it."""
        meta, name = self.view.get_queryset().model._meta, self.view.lookup_field
        column = meta.pk if name == "pk" else meta.get_field(name)
        while column.is_relation and column.remote_field.parent_link:
            column = column.target_field
        return column

    def create_at(self, key: Any) -> Response:
        view: Any = self.view
        serializer = view.get_serializer(data=view.request.data)
        serializer.is_valid(raise_exception=True)
        column, content = self.column(), serializer.validated_data
        if column.name not in content:
            # A project's perform_create() calls save() with its own arguments, so the key
            # has to be in what save() writes anyway.
            content[column.attname] = key
        elif getattr(content[column.name], "pk", content[column.name]) != key:
            raise ValidationError({column.name: ["This is not the one that the address names."]})
        view.perform_create(serializer)
        return Response(serializer.data, status=201)

    # Another request's row is there.

    def find_at(self, key: Any, rows: Any) -> Any:
        return rows.filter(**{self.view.lookup_field: key}).first()

    def find_by_content(self, rows: Any) -> Any:
        """The row that has the same unique values as the content."""
        values = self.values()
        for unique in _unique_together(rows.model._meta):
            if set(unique) <= values.keys():
                try:
                    found = rows.filter(**{name: values[name] for name in unique}).first()
                except NO_SUCH_KEY:
                    continue
                if found is not None:
                    return found
        return None

    def values(self) -> dict[str, Any]:
        """The content's values that can be read, by their columns' names."""
        serializer: Any = self.view.get_serializer(data=self.view.request.data)
        data, values = serializer.initial_data, {}
        for field in serializer._writable_fields if isinstance(data, Mapping) else ():
            value = field.get_value(data)
            if value is not empty and value is not None and not is_impossible(value):
                try:
                    values[field.source] = field.to_internal_value(value)
                except (ValidationError, InvalidKey, SkipField):
                    continue
        return values

    def rows(self) -> Any:
        return for_write(self.view.filter_queryset(self.view.get_queryset()))

    def by_row(self, find: Find, error: Exception) -> Exception:
        """What to answer, by whether the row is there now."""
        view, decision = self.view, EXISTS if self.only_new else CONFLICT
        taken = None if self.guard is None else self.guard.taken
        found = find(self.rows()) if taken is None else self.rows().filter(pk=taken).first()
        if found is not None and self.is_denied(found):
            if names_a_duplicate(error):
                return Http404()
            found = None
        if found is None:
            if is_contention(error):
                return PreconditionError(UNAVAILABLE)
            if self.is_hidden(error):
                return Http404()
            if is_duplicate(error):
                free = self.nothing_is_in_the_way()
                return PreconditionError(UNAVAILABLE if free else DUPLICATE)
            return error if taken is None else PreconditionError(decision)
        return conflict(view, decision, view.versioning.row_of(found), found)

    def by_error(self, find: Find, error: Exception) -> Exception:
        """What to answer while the transaction goes on: without a tag, which may be old."""
        if is_contention(error):
            return PreconditionError(UNAVAILABLE)
        answer = self.by_row(find, error)
        return (
            PreconditionError(answer.decision) if isinstance(answer, PreconditionError) else answer
        )

    def is_denied(self, found: Any) -> bool:
        """Whether the view answers 404 for the row at its address, as if it were absent."""
        view: Any = self.view
        if view.request.method != "PUT":
            return False
        try:
            if view.versioning.loads_as_drf:
                view.check_object_permissions(view.request, found)
            else:
                view.get_object()
        except (Http404, NotFound):
            return True
        except (APIException, PermissionDenied):
            pass
        return False

    def nothing_is_in_the_way(self) -> bool:
        """Whether the row with the same unique values has been deleted meanwhile."""
        meta, values = self.column().model._meta, self.values()
        # The database makes the key, or the address names it.
        unique = [names for names in _unique_together(meta) if names != (meta.pk.name,)]
        looked_up = all(set(names) <= values.keys() for names in unique)
        if not looked_up or len(meta.constraints) != len(meta.total_unique_constraints):
            return False  # A constraint that is not looked up here may be violated.
        return self.find_by_content(for_write(meta.model._base_manager.all())) is None

    def is_hidden(self, error: Exception) -> bool:
        """Whether there is a row at the address that the view's queryset leaves out."""
        view = self.view
        refused = isinstance(error, IntegrityError | StaleWriteError)
        if view.request.method != "PUT" or not refused:
            return False
        column = self.column()
        everything = for_write(column.model._base_manager.all())
        return bool(everything.filter(**{column.name: self.key()}).exists())


def _unique_together(meta: Any) -> list[tuple[str, ...]]:
    """The names of the fields of each unique constraint."""
    names = [(field.name,) for field in meta.concrete_fields if field.unique]
    names += [constraint.fields for constraint in meta.total_unique_constraints]
    return [*names, *meta.unique_together]


def names_a_duplicate(error: Exception) -> bool:
    """Whether a serializer refused the content because a row has the same unique values."""
    codes: Any = error.get_codes() if isinstance(error, ValidationError) else {}
    return isinstance(codes, dict) and any("unique" in each for each in codes.values())


def is_versioned(created: Any) -> bool:
    """Whether a serializer has created an instance with a version."""
    model: Any = type(created)
    return has_version(model)


def _save(serializer: Any) -> None:
    serializer.save()
