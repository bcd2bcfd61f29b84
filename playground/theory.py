"""Closed forms that a simulation is held against: queues, Little's law, stampedes. Rates per second, times in seconds.

Sources: A. K. Erlang (1917) by way of any textbook on queues (for example Harchol-Balter, Performance Modeling and Design of Computer
Systems, 2013); J. D. C. Little, "A proof for the queuing formula L = lambda W", Operations Research 9(3), 1961.
"""

from __future__ import annotations

from math import inf, log


def erlang_c(servers: int, load: float) -> float:
    """The chance that an arrival at M/M/c has to wait; ``load`` is arrival rate / service rate in erlangs. 1 where it overflows."""
    if load >= servers:
        return 1.0
    # Erlang B by its stable recursion, then C from B.
    blocking = 1.0
    for count in range(1, servers + 1):
        blocking = load * blocking / (count + load * blocking)
    return blocking / (1.0 - load / servers * (1.0 - blocking))


def mmc_wait(servers: int, arrivals: float, service: float) -> float:
    """Mean time in the queue of M/M/c; ``service`` is the rate of one server. Infinite where arrivals are too many."""
    if arrivals >= servers * service:
        return inf
    return erlang_c(servers, arrivals / service) / (servers * service - arrivals)


def mmc_time(servers: int, arrivals: float, service: float) -> float:
    """Mean time in the system of M/M/c."""
    return mmc_wait(servers, arrivals, service) + 1.0 / service


def mm1_percentile(fraction: float, arrivals: float, service: float) -> float:
    """The time that ``fraction`` of the customers of M/M/1 stay below: -ln(1 - p) / ((1 - rho) mu)."""
    if arrivals >= service:
        return inf
    return -log(1.0 - fraction) / (service - arrivals)


def mm1k_loss(places: int, load: float) -> float:
    """The share of arrivals that M/M/1/K turns away, K being all places, the server's included."""
    if load == 1.0:
        return 1.0 / (places + 1)
    if load > 1.0:
        # The same fraction in powers of 1 / load, which can't overflow.
        return (load - 1.0) / (load - (1.0 / load) ** places)
    power: float = load**places
    return (1.0 - load) * power / (1.0 - power * load)


def little(arrivals: float, time: float) -> float:
    """Mean number in a system: arrival rate x mean time in it."""
    return arrivals * time


def any_of(share: float, number: float) -> float:
    """Chance that at least one of ``number`` independent parts is late, each of which is with chance ``share``: 1 - (1 - p)^n.

    J. Dean and L. A. Barroso, "The tail at scale", CACM 56(2), 2013: 1 % slow servers at a fan-out of 100 make 63 % of requests slow.
    """
    return 1.0 - float((1.0 - share) ** number)


def stampede(arrivals: float, rebuild: float) -> float:
    """Callers that miss one hot key before the first of them has rebuilt it: arrival rate x rebuild time."""
    return arrivals * rebuild
