"""
The precondition algorithm of RFC 9110 §13.2.2, in its own steps.

One pure function, without Django. Call it after every check that answers a request
without preconditions (§13.2.1: authentication, permission, method, media type), and
before the request is performed.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from .dates import parse_http_date
from .etags import (
    ANY,
    OWS,
    EntityTag,
    names_only,
    parse_entity_tags,
    resource_part,
    state_part,
    without_coding,
)

__all__ = [
    "ABSENT",
    "CONFLICT",
    "DUPLICATE",
    "EXISTS",
    "GONE",
    "INTERRUPTED",
    "NO_CONDITIONS",
    "NO_POLICY",
    "STALE",
    "UNAVAILABLE",
    "UNREACHABLE",
    "ConditionalHeaders",
    "Decision",
    "Outcome",
    "Policy",
    "Reason",
    "Validators",
    "evaluate",
    "names_any",
    "reconsider",
]

READ_METHODS = frozenset({"GET", "HEAD"})
SAFE_METHODS = READ_METHODS | {"OPTIONS", "TRACE"}
# Preconditions are ignored on these (§13.2.1). Any other method, known or not, writes.
UNCONDITIONAL_METHODS = frozenset({"OPTIONS", "TRACE", "CONNECT"})


class Outcome(enum.Enum):
    """What to do with the request."""

    PROCEED = "proceed"
    NOT_MODIFIED = "304"
    PRECONDITION_FAILED = "412"
    PRECONDITION_REQUIRED = "428"
    # After another request wrote the row first:
    GONE = "404"
    CONFLICT = "409"
    UNAVAILABLE = "503"


class Reason(enum.Enum):
    """Why, as far as the client may know. The value is what the log says."""

    NONE = "no precondition is false"
    MATCH = "the client has this state"
    STALE = "If-Match names another state"
    OTHER_RESOURCE = "If-Match names another resource"
    ABSENT = "If-Match is given, and there is no such row"
    MALFORMED = "If-Match is neither * nor a list of entity tags"
    WEAKENED = "If-Match names this state by a weakened tag"
    WILDCARD_FORBIDDEN = "If-Match: * is not allowed here"
    MODIFIED_SINCE = "written after the date of If-Unmodified-Since"
    EXISTS = "If-None-Match matches the row that is there"
    REQUIRED = "If-Match is required"
    DATE_NOT_ENOUGH = "If-Unmodified-Since alone cannot guard a write"
    GONE = "deleted by another at the same time"
    CONFLICT = "changed by another at the same time"
    INTERRUPTED = "changed by another, when part of the request may have been written"
    DUPLICATE = "another row has a value that must be unique"
    CONTENTION = "the database could not let this write through"
    UNREACHABLE = "the database cannot be reached"


class ConditionalHeaders(NamedTuple):
    """The four conditional request fields, unparsed; ``None`` for an absent one."""

    if_match: str | None = None
    if_unmodified_since: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None


NO_CONDITIONS = ConditionalHeaders()


class Validators(NamedTuple):
    """
    The current validators of the resource.

    Args:
        etag: the entity tag of the representation, or ``None`` if it has none.
        state: the state part of a tag that this package built; ``None`` for a project's
            own tag, which is compared to the letter.
        last_modified: seconds since 1970, rounded up, or ``None``.
        former: opaque part and state of the same tag under each of
            ``SECRET_KEY_FALLBACKS``: clients may still hold these tags.
        dated: whether the representation depends on the state alone. If not, it can
            change without a new date: the date still guards writes, but is not sent.
    """

    etag: EntityTag | None = None
    state: str | None = None
    last_modified: int | None = None
    former: tuple[tuple[str, str], ...] = ()
    dated: bool = True

    @property
    def opaques(self) -> list[str]:
        """The opaque part of the tag under each secret key, the current key's first."""
        return [self.etag.opaque, *(opaque for opaque, _ in self.former)] if self.etag else []

    @property
    def states(self) -> list[str]:
        """The state part of the tag under each secret key, the current key's first."""
        return [self.state, *(state for _, state in self.former)] if self.state else []


class Policy(NamedTuple):
    """
    What a view requires of its clients.

    Args:
        if_match_required: a write without If-Match is answered 428.
        lets_pass: a write without If-Match is performed, and reported with the reason for
            which it would be refused.
        allow_wildcard: ``If-Match: *`` is accepted on a write.
        allow_unmodified_since: If-Unmodified-Since is accepted in place of If-Match.
        strong: If-Match is compared by RFC 9110's strong comparison instead of by state.
    """

    if_match_required: bool = False
    lets_pass: bool = False
    allow_wildcard: bool = True
    allow_unmodified_since: bool = False
    strong: bool = False


NO_POLICY = Policy()


class Decision(NamedTuple):
    """
    The outcome, its reason, and the tag for a 304: in the form that the client sent, since
    its cache finds its copy by that form where a proxy has changed the tag.
    """

    outcome: Outcome
    reason: Reason = Reason.NONE
    etag: EntityTag | None = None


PROCEED = Decision(Outcome.PROCEED)
# After another request wrote the row first:
GONE = Decision(Outcome.GONE, Reason.GONE)
CONFLICT = Decision(Outcome.CONFLICT, Reason.CONFLICT)
INTERRUPTED = Decision(Outcome.CONFLICT, Reason.INTERRUPTED)
DUPLICATE = Decision(Outcome.CONFLICT, Reason.DUPLICATE)
STALE = Decision(Outcome.PRECONDITION_FAILED, Reason.STALE)
ABSENT = Decision(Outcome.PRECONDITION_FAILED, Reason.ABSENT)
EXISTS = Decision(Outcome.PRECONDITION_FAILED, Reason.EXISTS)
UNAVAILABLE = Decision(Outcome.UNAVAILABLE, Reason.CONTENTION)
UNREACHABLE = Decision(Outcome.UNAVAILABLE, Reason.UNREACHABLE)


def evaluate(
    method: str,
    headers: ConditionalHeaders,
    current: Validators | None,
    policy: Policy = NO_POLICY,
) -> Decision:
    """
    Evaluate a request's preconditions (RFC 9110 §13.2.2).

    Args:
        method: the request method, in capitals.
        headers: the conditional request fields.
        current: the current validators, or ``None`` where the row is absent.
        policy: what the view requires.

    Returns:
        The decision. Never raises, whatever the headers hold.
    """
    # §13.2.1: methods that neither select nor modify a representation.
    if method in UNCONDITIONAL_METHODS:
        return PROCEED
    writes = method not in READ_METHODS
    required = writes and policy.if_match_required

    # Step 1: If-Match.
    if headers.if_match is not None:
        reason = _if_match_objection(headers.if_match, current, policy, writes)
        if reason is not None:
            return Decision(Outcome.PRECONDITION_FAILED, reason)
        required = False

    # Step 2: If-Unmodified-Since, where there is no If-Match.
    elif not required or policy.allow_unmodified_since or policy.lets_pass:
        given = headers.if_unmodified_since
        date = None if given is None else parse_http_date(given)
        if date is not None and current is not None and current.last_modified is not None:
            if current.last_modified > date:
                return Decision(Outcome.PRECONDITION_FAILED, Reason.MODIFIED_SINCE)
            required = required and not policy.allow_unmodified_since

    # Step 3: If-None-Match.
    if headers.if_none_match is not None:
        decision = _if_none_match(headers.if_none_match, current, writes)
        if decision is not None:
            return decision
        if current is None and parse_entity_tags(headers.if_none_match) is ANY:
            required = False

    # Step 4: If-Modified-Since, where there is no If-None-Match.
    elif headers.if_modified_since is not None and not writes:
        date = parse_http_date(headers.if_modified_since)
        if date is not None and current is not None and _is_unmodified_since(date, current):
            return Decision(Outcome.NOT_MODIFIED, Reason.MATCH, current.etag)

    # Step 5: If-Range. No ranges are served here, so it is ignored (§13.1.5).

    # Step 6: perform the request; RFC 6585 §3 lets a server insist on a condition.
    if required:
        dated = parse_http_date(headers.if_unmodified_since) is not None
        return Decision(
            Outcome.PROCEED if policy.lets_pass else Outcome.PRECONDITION_REQUIRED,
            Reason.DATE_NOT_ENOUGH if dated else Reason.REQUIRED,
        )
    return PROCEED


def reconsider(headers: ConditionalHeaders, again: Decision, changed: bool) -> Decision:
    """
    The decision where the preconditions were true when they were evaluated, but the
    database did not take the write.

    Args:
        headers: the conditional request fields.
        again: the result of ``evaluate()`` for the row as it is now.
        changed: whether another request has changed the row, or one that this request writes.

    Returns:
        412 where a precondition is false now. Where the client's tag is still current,
        503: a 412 would show the tag that the client has just sent.
    """
    if again.outcome is Outcome.PRECONDITION_FAILED:
        return again
    names_tags = headers.if_match is not None and not names_any(headers)
    if changed and not names_tags:
        return CONFLICT
    return UNAVAILABLE


def _is_unmodified_since(date: int, current: Validators) -> bool:
    """Whether If-Modified-Since is false (§13.1.3). Without a date it is ignored."""
    known = current.last_modified if current.dated else None
    return known is not None and known <= date


def names_any(headers: ConditionalHeaders) -> bool:
    """Whether If-Match is ``*``."""
    return headers.if_match is not None and headers.if_match.strip(OWS) == "*"


def _if_match_objection(
    value: str, current: Validators | None, policy: Policy, writes: bool
) -> Reason | None:
    """Why If-Match is false (§13.1.1), or ``None`` where it is true."""
    etag = None if current is None else current.etag
    if etag is not None and not etag.weak and value == f'"{etag.opaque}"':
        return None  # The usual case, without parsing.
    state = None if current is None or policy.strong else current.state
    if state is not None and names_only(value, state):
        return None
    tags = parse_entity_tags(value)
    if tags is None:
        return Reason.MALFORMED
    if current is None:
        return Reason.ABSENT
    if tags is ANY:
        return Reason.WILDCARD_FORBIDDEN if writes and not policy.allow_wildcard else None
    assert isinstance(tags, tuple)
    strong = current.state is None or policy.strong
    if strong and any(_matches_to_the_letter(tag, current) for tag in tags):
        return None
    if any(_matches_by_state(tag, current) for tag in tags):
        return Reason.WEAKENED if strong else None
    return _mismatch(tags, current)


def _mismatch(tags: tuple[EntityTag, ...], current: Validators) -> Reason:
    """Whether ``tags`` name another state of this row, or another resource."""
    parts = [resource_part(state) for state in current.states]
    if not parts or None in parts:
        return Reason.STALE  # An opaque or foreign tag does not show its resource.
    same = any(tag.opaque.startswith(part) for tag in tags for part in parts if part)
    return Reason.STALE if same else Reason.OTHER_RESOURCE


def _if_none_match(value: str, current: Validators | None, writes: bool) -> Decision | None:
    """The decision where If-None-Match is false (§13.1.2); ``None`` where it is true."""
    if current is None:
        return None
    etag = current.etag
    if not writes and etag is not None and not etag.weak and value == f'"{etag.opaque}"':
        return Decision(Outcome.NOT_MODIFIED, Reason.MATCH, etag)  # The usual case.
    tags = parse_entity_tags(value)
    if tags is None:
        return None
    if tags is not ANY:
        assert isinstance(tags, tuple)
        etag = _named(tags, current)
        if etag is None:
            return None
    if writes:
        return EXISTS
    return Decision(Outcome.NOT_MODIFIED, Reason.MATCH, etag)


def _named(tags: tuple[EntityTag, ...], current: Validators) -> EntityTag | None:
    """The current tag in the form of the one of ``tags`` that matches it weakly (§8.8.3.2)."""
    for opaque in current.opaques:
        matching = [tag for tag in tags if _matches_weakly(tag, opaque, current)]
        if matching:
            assert current.etag is not None
            ours = EntityTag(opaque, weak=current.etag.weak)
            known = ours if ours in matching else matching[0]
            return EntityTag(known.opaque, weak=known.weak or ours.weak)
    return None


def _matches_to_the_letter(tag: EntityTag, current: Validators) -> bool:
    """Strong comparison (§8.8.3.2). A state-only tag, as a write returns, matches too."""
    if tag.weak or current.etag is None or current.etag.weak:
        return False
    return tag.opaque in current.opaques or tag.opaque in current.states


def _matches_by_state(tag: EntityTag, current: Validators) -> bool:
    """Compare the state part alone: the representation and proxies' changes don't count."""
    if current.state is None:
        return tag.opaque in current.opaques
    state = state_part(tag.opaque)
    return state == current.state or any(state == former for _, former in current.former)


def _matches_weakly(tag: EntityTag, opaque: str, current: Validators) -> bool:
    """Weak comparison with ``opaque``. A proxy's suffix on one of our tags is ignored."""
    if tag.opaque == opaque:
        return True
    return current.state is not None and without_coding(tag.opaque) == opaque
