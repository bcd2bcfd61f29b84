"""The isolation lab: scripted transactions, stepped statement by statement through the engine's MVCC core.

parse(text)            a script: tables, rows, and the statements of sessions T1 to T4 in their order
run(script, ...)       what every statement returned, whom it waited for, why it failed; versions, locks, dependencies, anomalies
server.run_on(...)     the same on a real PostgreSQL
"""
