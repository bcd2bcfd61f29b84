"""Numbers that the database's modules share: marks of calls, roles of nodes, timers, commit levels, ways to read, causes of staleness."""

from __future__ import annotations

from typing import Final

WAITING: Final = 0
FOR_CORE: Final = 1
ON_CORE: Final = 2
FOR_DISK: Final = 3
ON_DISK: Final = 4
COMMITTING: Final = 5
FOR_POSITION: Final = 6
TALKING: Final = 7
LOCKED: Final = 8
WOKEN: Final = 9
"""Marks of a call: it waits for a connection; holds one and waits for a core, computes, waits for the disk, is on the disk, waits until its
record in the log is safe; waits (without a connection) until a replica has come to a position in the log. A transaction's: its next
statement is on its way, it waits for a lock, it has stopped waiting just now."""

LEADER: Final = 0
REPLICA: Final = 1
PROMOTING: Final = 2
RECOVERING: Final = 3
REJOINING: Final = 4
COPYING: Final = 5
DOWN: Final = 6
ROLES: Final = ["leader", "replica", "being promoted", "replaying its log", "rewinding", "being copied anew", "down"]
"""What a node is. One that is being promoted has the lease and takes no writes yet; those from "replaying" on serve nobody."""

FLUSHED: Final = 0
DELAYED: Final = 1
WRITER: Final = 2
SHIPPED: Final = 3
ACKED: Final = 4
APPLIED: Final = 5
WAITED: Final = 6
RECOVERED: Final = 7
REJOINED: Final = 8
PROMOTED: Final = 9
CHECKPOINT: Final = 10
WRITTEN_BACK: Final = 11
LOOP: Final = 12
LEASE: Final = 13
RETRY: Final = 14
DEADLOCK: Final = 15
LOCK_TIMEOUT: Final = 16
"""Timers of a node: a flush is done, a commit delay is over, the WAL writer wakes, log has arrived, a replica's word of its position has
arrived, a record is applied, somebody has waited long enough for a position, the log is replayed, the rewind (or copy) is done, the
promotion is; a checkpoint is due, some of its pages are written or due; an agent's loop, the end of the lease, an agent's last try to
renew it; somebody has waited for a lock for deadlock_timeout, or for lock_timeout."""

OFF: Final = 0
LOCAL: Final = 1
REMOTE_WRITE: Final = 2
ON: Final = 3
REMOTE_APPLY: Final = 4
LEVELS: Final = ["off", "local", "remote_write", "on", "remote_apply"]
"""PostgreSQL's synchronous_commit: what a commit waits for."""

ANY: Final = 0
FIRST: Final = 1
SYNC_METHODS: Final = ["any", "first"]
"""PostgreSQL's synchronous_standby_names: ANY k (...) or FIRST k (...)."""

READ_LEADER: Final = 0
READ_ANY: Final = 1
READ_AFTER_WRITE: Final = 2
READ_POSITION: Final = 3
READ_BOUNDED: Final = 4
READ_ROUTES: Final = ["leader", "any_replica", "leader_after_write", "wait_for_position", "bounded_staleness"]

NETWORK: Final = 0
BACKLOG: Final = 1
STOPPED: Final = 2
PARTITION: Final = 3
FORKED: Final = 4
CAUSES: Final = ["network", "apply backlog", "apply stopped", "partition", "forked"]
"""Why a node did not have a write when it was read: it was on its way; had arrived and waited for the apply stream; that stream stands
still; the node is cut off; the node has left the timeline that the write is on."""

CRASH: Final = 0
FAILOVER: Final = 1
SPLIT_BRAIN: Final = 2
LOSSES: Final = ["crash before the flush", "failover", "split brain"]

CALLERS_NONE: Final = 0
CALLERS_ZONE: Final = 1
CALLERS_ALL: Final = 2
CALLERS_BESIDE: Final = ["none", "zone", "all"]
"""Which callers reach a node that is cut off from the others: none, those that stand in its zone, all."""

COPIED: Final = -2
"""Instead of a user, in the log: the row was copied from another database. From here on downwards, see ``log.writer_of``."""

ROW_OVERHEAD_BYTES: Final = 60
SMALL_BYTES: Final = 60
NEVER: Final = 1 << 62
UNBOUNDED: Final = 1 << 40
NODES_MAX: Final = 16
NODE_BITS: Final = 8
NODE_MASK: Final = 255
EPOCH_MASK: Final = 0xFFFFFF
"""A timer's argument is the number of a node and, above these bits, the epoch in which it was set: it is void in a later one."""

LOG_RECORDS_MAX: Final = 1 << 18
"""Records kept at most for those who have not applied them; a node that is further behind has to be copied anew."""

KEPT: Final = 256
"""Latest stale reads, and lost writes, that are told one by one."""

SHOWN: Final = 20
ABSENT_FROM: Final = 200
ABSENT_QUIET_NS: Final = 60_000_000_000
"""So many statements about rows that don't exist within a second are worth a word, and then for a while none."""

QUIET_NS: Final = 10_000_000_000
COPY_BYTES_PER_S: Final = 200_000_000.0
"""How fast a node is copied anew (pg_basebackup over a network of 2 Gbit/s)."""

COPY_LEAST_NS: Final = 1_000_000_000
