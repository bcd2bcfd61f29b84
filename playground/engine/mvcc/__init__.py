"""Transactions over row versions: snapshots, row locks, deadlocks and serializable snapshot isolation, in two dialects.

It has no clock, no SQL and no network. Statements are objects that are run until they are done, have to wait for another
transaction, or fail; when a transaction ends, the core says who may go on. One core serves the isolation lab, statement by
statement, and a database block in a simulation, thousands of short transactions a second.

- :mod:`~playground.engine.mvcc.postgresql`: as PostgreSQL 15 does it (held against a real server by tests/isolation);
- :mod:`~playground.engine.mvcc.innodb`: as MySQL's InnoDB does it.
"""
