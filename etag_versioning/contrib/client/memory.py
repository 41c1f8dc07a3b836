"""What a client remembers of each address: a tag, and the content that the tag names."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Content:
    """
    The content of an answer, as the 304 of a later request stands for it.

    Attributes:
        accept: what the request accepted: another media type is other content.
        headers: those of the answer that belong to its content.
        body: the content, decoded.
    """

    accept: tuple[str | None, str | None]
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True)
class Entry:
    """
    What is known of one address.

    Attributes:
        number: that of the request which told it.
        tag: what a write names; None if the address was forgotten.
        content: what the tag names, if it was kept.
    """

    number: int
    tag: str | None = None
    content: Content | None = None

    def content_for(self, accept: tuple[str | None, str | None]) -> Content | None:
        return self.content if self.content and self.content.accept == accept else None


class Memory:
    """
    The entries of one client, which threads may share.

    Requests are numbered. A read replaces only an entry with a lower number, so that an answer
    which arrives late puts no older tag over a newer one. For the same reason an address that is
    forgotten keeps an entry, without a tag.
    """

    def __init__(self, size: int):
        self._size = size
        self._lock = threading.RLock()
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._last_number = 0
        # The number of the moment when everything was forgotten.
        self._forgotten = 0

    def next_number(self) -> int:
        with self._lock:
            self._last_number += 1
            return self._last_number

    def get(self, address: str) -> Entry:
        with self._lock:
            return self._entries.get(address, Entry(self._forgotten))

    def put(self, address: str, entry: Entry) -> None:
        with self._lock:
            before = self.get(address)
            if entry.number <= before.number:
                return
            if entry.content is None and entry.tag == before.tag:
                # A stream has told the tag alone, and it is still the same.
                entry = Entry(entry.number, entry.tag, before.content)
            self._entries[address] = entry
            self._entries.move_to_end(address)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def put_written(
        self, address: str, sent: int, named: str | None, tag: str | None, content: Content | None
    ) -> None:
        """
        Remember what a write left.

        Compare and swap, as the server does: the new tag replaces the one that was named. If
        another tag was remembered since the write was sent, it is of a later state, and if the
        address was forgotten, its content is somebody else's.

        Args:
            sent: the number of the write. The entry gets one of this moment, since a read that
                was sent before it may show the older state.
            named: the tag that the write has named.
        """
        with self._lock:
            before = self.get(address)
            if sent > before.number or (named and named == before.tag):
                self.put(address, Entry(self.next_number(), tag, content))

    def forget(self, address: str) -> None:
        self.put(address, Entry(self.next_number()))

    def forget_all(self) -> None:
        with self._lock:
            self._entries.clear()
            self._forgotten = self.next_number()
