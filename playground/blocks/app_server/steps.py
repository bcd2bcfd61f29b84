"""What a call of the app server's is for, what a request of its remembers meanwhile, and sizes of messages."""

from __future__ import annotations

from typing import Final

SERVICE: Final = 0
LOOK_UP: Final = 1
LOAD: Final = 2
FILL: Final = 3
SAVE: Final = 4
UPDATE: Final = 5
SESSION: Final = 6
CHECK: Final = 7
RECORD: Final = 8
THROUGH: Final = 9
PROMISE: Final = 10
ENQUEUE: Final = 11
RELOAD: Final = 12
HAND_OVER: Final = 13
FORGET: Final = 14
MOVE: Final = 15
SEARCH: Final = 16
"""Steps of a call that this block makes: a service, a cache read, a store read, the cache filled after a miss, a store write, the cache
told of the write, a session looked up or begun in a store, the filter asked, the filter told, a write through the cache, a cached item
renewed ahead of the store, that write enqueued. The last three have no parent: a reload in the background, the same handed to a queue,
something that is said without waiting for an answer. A session moves from the server into the store. A list comes from the search index."""

PAST_CACHE: Final = 1
KEEPS_ABSENT: Final = 2
HAS_TOKEN: Final = 4
WAITED: Final = 8
HAS_COPY: Final = 16
MEMO_BITS: Final = 5
"""What a read's memo says, once its services are done: the cache failed and is passed by; it wants to know what does not exist; the read
holds the key's lock or lease (its token is above these bits); it waited for another rebuild (the time when that began is above them);
it rebuilds ahead of time, and has the old value to answer with if that fails."""

INVALIDATE: Final = 0
OVERWRITE: Final = 1
LEAVE: Final = 2
AFTER_WRITE: Final = ["invalidate", "update", "nothing"]
AFTER_CREATE: Final = ["invalidate", "update", "nothing"]

TO_STORE: Final = 0
TO_CACHE: Final = 1
TO_QUEUE: Final = 2
WRITES: Final = ["store", "cache", "queue"]
"""Where a write goes first."""

INSTANCE_BITS: Final = 10
INSTANCE_MASK: Final = 1023
"""Who made a call without a parent: its instance, and above these bits which of its lives that was."""

SMALL_BYTES: Final = 200
"""An answer without an item: the result of a write, or a 404."""

KEY_BYTES: Final = 100
"""A message to a store or cache that names a key, without the item."""
