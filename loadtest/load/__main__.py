"""Load: ``python -m loadtest.load SCENARIO``, or ``make load SCENARIO=…``.

    target ─► budgets ─► generators ─► findings ─► measures ─► verdicts ─► table, page, exit code

Exit code 0 when every budget is kept, 1 when one is broken, 2 when the run made no sense.
Docs: ``docs/performance.md``.
"""

import sys
from collections.abc import Sequence

from core.errors import SettingsInvalidError
from core.settings import load_settings
from loadtest.bench.processes import ProcessEndedError
from loadtest.load.budgets import BudgetsInvalidError, load_budgets
from loadtest.load.options import read_options
from loadtest.load.reports import save_report
from loadtest.load.runs import run
from loadtest.load.tables import write_text
from loadtest.load.targets import TargetError, find_target, require_welcome

BROKEN = 1
SENSELESS = 2


def load(arguments: Sequence[str]) -> int:
    """Carry out what the command line says, tell of it, and return the exit code.

    Raises:
        TargetError: The product cannot be loaded.
        BudgetsInvalidError: The budgets cannot be used.
        SettingsInvalidError: A setting is wrong.
        ProcessEndedError: A generator failed.
    """
    options = read_options(arguments)
    budgets = load_budgets(options.budgets)
    settings = load_settings()
    target = find_target(settings, options.url)
    require_welcome(target, settings.api_key, options.scenarios)
    environment = {"API_KEY": settings.api_key} if settings.api_key else {}
    summary, folder = run(options, target, budgets, environment)
    page = save_report(summary, folder)
    sys.stdout.write(f"{write_text(summary)}{page}\n")
    return BROKEN if summary.broken else 0


def main() -> None:
    """Load, and end with one line when that is not possible."""
    try:
        sys.exit(load(sys.argv[1:]))
    except (TargetError, BudgetsInvalidError, SettingsInvalidError) as error:
        sys.stderr.write(f"load: {' '.join(str(error).split())}\n")
    except ProcessEndedError as error:
        lines = str(error).strip().splitlines()
        sys.stderr.write(f"load: {lines[-1]}\n")
    except KeyboardInterrupt:
        sys.stderr.write("load: stopped\n")
    sys.exit(SENSELESS)


if __name__ == "__main__":
    main()
