"""Engine worker processes: who owns a run, how it is paced, and how it is brought back when its process dies.

``worker`` and ``paced`` run inside a worker process and know no Django; ``pool`` and ``process`` are the asyncio side in the web
process; ``framing`` is the pipe between them.
"""
