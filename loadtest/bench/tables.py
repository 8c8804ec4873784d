"""Tables: results in Markdown."""

from collections.abc import Iterable, Sequence

from loadtest.bench.contenders import CONTENDERS
from loadtest.bench.machines import Machine
from loadtest.bench.results import Standing, Verdict
from loadtest.bench.spreads import Spread


def write_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def write_standings(standings: Sequence[Standing], peers: Sequence[str]) -> str:
    """Return the table of all contenders, with the ratios to peers."""
    measured = [peer for peer in peers if any(peer in s.ratios for s in standings)]
    head = ["", "version", "events/s", "least to most", "events/CPU s", "cores"]
    head += [f"against {find_label(peer)}" for peer in measured]
    return write_table(head, (_write_standing(standing, measured) for standing in standings))


def write_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Return the table of targets."""
    return write_table(
        ["target", "wanted", "found", "met"],
        (
            [
                f"{find_label(verdict.target.ours)} ÷ {find_label(verdict.target.peer)}",
                f"≥ {verdict.target.least:g}",
                f"{verdict.found:.2f}",
                "yes" if verdict.is_met else "**no**",
            ]
            for verdict in verdicts
        ),
    )


def write_machine(machine: Machine) -> str:
    """Return one line about the machine."""
    return (
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gb} GB, {machine.kernel},"
        f" Python {machine.python}, load {machine.load:g}."
    )


def write_spread(found: Spread, form: str = ".2f") -> str:
    """Return a middle with its ends."""
    return f"{found.median:{form}} ({found.least:{form}} to {found.most:{form}})"


def find_label(name: str) -> str:
    """Return the label of a contender."""
    return next(contender.label for contender in CONTENDERS if contender.name == name)


def _write_standing(standing: Standing, peers: Sequence[str]) -> list[str]:
    ratios = [standing.ratios.get(peer) for peer in peers]
    return [
        f"**{standing.label}**" if standing.is_ours else standing.label,
        standing.version,
        f"{standing.rate.median:,.0f}",
        f"{standing.rate.least:,.0f} to {standing.rate.most:,.0f}",
        f"{standing.cpu_rate.median:,.0f}",
        f"{standing.cores:.2f}",
        *(write_spread(ratio) if ratio else "" for ratio in ratios),
    ]
