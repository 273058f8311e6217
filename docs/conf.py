"""The documentation as a site: ``python -m sphinx -W docs site``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "pytest-dealsnap"
author = "the pytest-dealsnap maintainers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["site"]
html_theme = "furo"
html_title = project
myst_heading_anchors = 3
copybutton_prompt_text = "$ "
autodoc_typehints = "description"
# Files of the repository that are no pages of the site: their links lead to the repository.
suppress_warnings = ["myst.xref_missing"]


class RepositoryLinks(SphinxPostTransform):
    """Links to files beside ``docs/`` lead to the repository, as they do where the pages are read there."""

    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Replace each reference that MyST could not resolve and that names a file of the repository."""
        from sphinx.addnodes import pending_xref

        page = Path(self.env.doc2path(self.env.docname)).parent
        for node in list(self.document.findall(pending_xref)):
            target, _, anchor = str(node.get("reftarget", "")).partition("#")
            path = (page / target).resolve()
            if path.is_relative_to(ROOT / "docs") or not path.exists():
                continue
            address = f"{PROJECT['urls']['Source']}/blob/main/{path.relative_to(ROOT).as_posix()}"
            link = nodes.reference("", "", refuri=f"{address}#{anchor}" if anchor else address)
            link += node.children
            node.replace_self(link)


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_post_transform(RepositoryLinks)
