"""Papers: pages that need nothing else, light, for screens and for paper.

    paper.html (its style) ◄─ extends ─ report.html, session.html

Every text of somebody passes through a template, which escapes it.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def load_paper(file: Path) -> Template:
    """Return the template of a file, which may extend ``paper.html``."""
    environment = Environment(
        loader=FileSystemLoader([file.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(file.name)
