"""Run the command line as ``python -m infra.cli``."""

from infra.cli.main import app

if __name__ == "__main__":
    app(prog_name="telemetra")
