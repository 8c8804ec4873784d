"""Tables: what runs, where to look and how to stop it, for people."""

from rich import box
from rich.console import Console
from rich.table import Table

from infra.supervisor.states import SupervisorRecord


def print_record(console: Console, record: SupervisorRecord, *, stop_hint: str) -> None:
    """Print what runs and where to look."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("process", "pid", "state", "restarts", "from"):
        table.add_column(title, overflow="fold")
    for process in record.processes:
        pid = "-" if process.pid is None else str(process.pid)
        table.add_row(process.name, pid, process.state.value, str(process.restarts), process.origin)
    console.print(table)
    for title, text in _list_places(record):
        console.print(f"{title:<10}{text}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{'Stop':<10}{stop_hint}", markup=False, highlight=False, soft_wrap=True)


def _list_places(record: SupervisorRecord) -> list[tuple[str, str]]:
    folders = [("Data", str(record.data_dir)), ("Logs", str(record.data_dir / "logs"))]
    if not record.api_url:
        return folders
    return [
        ("Page", f"{record.api_url}/"),
        ("API", f"{record.api_url}/docs"),
        ("Metrics", f"{record.api_url}/metrics"),
        *folders,
    ]
