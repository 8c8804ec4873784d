"""Pages: what the scenes found, as tables."""

from collections.abc import Sequence
from statistics import median
from typing import Final, TypeVar

from loadtest.bench.push.returns import Returned
from loadtest.bench.push.scenes import Frozen, Steady, Vanished
from loadtest.bench.push.takes import Take
from loadtest.bench.spreads import Spread, spread
from loadtest.bench.tables import write_spread, write_table

Played = TypeVar("Played")

TAKES: Final = [
    "",
    "deliveries/s",
    "delivered of expected",
    "p50",
    "p99",
    "most",
    "cores",
    "µs a delivery",
    "receiver's cores",
]


def write_steady(found: Steady) -> str:
    """Return the table of ours and the peer, and their ratios round by round."""
    rounds = list(zip(found.ours, found.peer, strict=True))
    cpu = spread([p.server_us_per_delivery / o.server_us_per_delivery for o, p in rounds])
    late = spread([p.p99_ms / o.p99_ms for o, p in rounds])
    rows = [
        *(_write_take("ours, 1/s", one) for one in found.ours),
        *(_write_take("as most would, 1/s", one) for one in found.peer),
        _write_take("ours, 10/s", found.ours_fast),
        _write_take("as most would, 10/s", found.peer_fast),
    ]
    fast = found.peer_fast.server_us_per_delivery / found.ours_fast.server_us_per_delivery
    return (
        "## Steady\n\n"
        + write_table(TAKES, rows)
        + f"\nAt 1/s as most would needs {write_spread(cpu)} times the processor time of ours, and"
        f" its p99 is {write_spread(late)} times as late; at 10/s {fast:.2f} times the processor"
        f" time. A socket takes {found.ours_kb_per_socket:.0f} kB of memory,"
        f" {found.peer_kb_per_socket:.0f} kB as most would. {_write_whole(found.ours)} At 10/s:"
        f" {_write_whole([found.ours_fast])}\n"
    )


def write_frozen(found: Frozen) -> str:
    """Return the table with and without frozen clients, and the ratio of their medians."""
    change = _write_change(found)
    rows = [
        *(_write_take("without", one) for one in found.without),
        *(_write_take("with frozen ones", one) for one in found.among),
    ]
    return (
        "## Frozen clients\n\n"
        + write_table(TAKES, rows)
        + f"\n{change} Of the frozen, {found.ended} were ended within"
        f" {found.seconds_until_gone:.0f} s, {found.too_slow} of them as too slow. The API held"
        f" {found.mb_before:.0f} MB before and {found.mb_most:.0f} MB at most."
        f" {_write_whole([*found.without, *found.among])}\n"
    )


def write_vanished(found: Sequence[Vanished]) -> str:
    """Return the table of clients that went without a close."""
    head = ["", "clients", "gone after", "idle after", "connections", "streams"]
    head += ["tasks before, after", "cores then", "MB before, with, after"]
    return "## Vanished clients\n\n" + write_table(
        head,
        (
            [
                one.how,
                f"{one.clients:,}",
                f"{one.seconds_until_gone:.1f} s",
                f"{one.seconds_until_idle:.1f} s",
                str(one.connections),
                str(one.streams),
                f"{one.tasks_before}, {one.tasks_after}",
                f"{one.idle_cores:.3f}",
                f"{one.mb_before:.0f}, {one.mb_with:.0f}, {one.mb_after:.0f}",
            ]
            for one in found
        ),
    )


def write_returned(found: Returned) -> str:
    """Return what clients of a killed server found."""
    company = found.company
    clients = company.sockets + company.event_streams
    return (
        "## A killed server\n\n"
        f"One of two API processes behind a balancer was killed with -9 in the middle of"
        f" {company.messages:,} messages, {found.moments} of them moments, each to"
        f" {company.sockets} sockets and {company.event_streams} event streams."
        f" {found.came_back} of {clients} clients came back, at the other one."
        f" Missed, twice, out of order or not to be made up for: {len(found.faults)}.\n"
    )


def _write_change(found: Frozen) -> str:
    without, among = ([one.p99_ms for one in takes] for takes in (found.without, found.among))
    ratios: Spread = spread([b / a for a, b in zip(without, among, strict=True)])
    medians = median(among) / median(without)
    return (
        f"The median p99 of the others is {medians:.2f} times that without them"
        f" ({median(among):.1f} and {median(without):.1f} ms), round by round"
        f" {write_spread(ratios)}."
    )


def _write_whole(takes: Sequence[Take]) -> str:
    missed, moments = sum(one.missed_moments for one in takes), sum(one.moments for one in takes)
    wrong = sum(not one.is_whole for one in takes)
    return (
        f"{moments:,} moments were delivered and {missed} missed; in {wrong} of {len(takes)} spans"
        " something was left out, doubled or out of sequence."
    )


def _write_take(name: str, one: Take) -> list[str]:
    return [
        name,
        f"{one.rate:,.0f}",
        f"{one.delivered:,} of {one.expected:,}",
        f"{one.p50_ms:.1f} ms",
        f"{one.p99_ms:.1f} ms",
        f"{one.most_ms:.0f} ms",
        f"{one.server_cores:.2f}",
        f"{one.server_us_per_delivery:.1f}",
        f"{one.receiver_cores:.2f}",
    ]
