"""How sphinx builds the documentation: ``make docs``."""

import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "benchmarks")]
# Where the pictures of estimators link to, from pages of the gallery; see `skflat._site`.
os.environ["SKFLAT_DOCS"] = ".."

# These are found only after the folders have been added to the path (E402).
import api_pages  # noqa: E402
import inventories  # noqa: E402

import skflat  # noqa: E402

project = "skflat"
author = "The skflat developers"
version = release = skflat.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
    "results",
    "links",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "gallery/**/*.ipynb", "gallery/**/*.py", "**sg_execution_times.rst"]
default_role = "obj"
nitpicky = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True

# Nothing is fetched: the inventories are written from the lists in `inventories.py`.
intersphinx_mapping = inventories.write(HERE / "_build" / "inventories")

html_theme = "pydata_sphinx_theme"
html_title = f"skflat {version}"
html_static_path = ["_static"]
html_css_files = ["skflat.css"]
html_show_sourcelink = False
# Pages without others below them need no list of those.
html_sidebars = {page: [] for page in ("index", "getting_started", "migrating")}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 8,
    "logo": {"text": "skflat"},
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "gallery_order.ReadingOrder",
    "ignore_pattern": r"^(?!plot_)",  # the demo is a program of its own
    "backreferences_dir": "api/backreferences",
    "doc_module": ("skflat",),
    "reference_url": {"skflat": None},
    "inspect_global_variables": True,
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 1,
    "remove_config_comments": True,
    "plot_gallery": "True",
}
# The examples warn of too few epochs on purpose or not at all. Their pictures need no screen.
warnings.filterwarnings("ignore", message=".*non-interactive.*")


def members_of_the_package(app, what, name, thing, skip, options):
    """Leave out what scikit-learn's classes hand down: it is documented there."""
    made_in = getattr(getattr(thing, "fget", thing), "__module__", None)
    foreign = isinstance(made_in, str) and not made_in.startswith("skflat")
    return True if foreign or name.startswith("set_") else skip


def setup(app):
    """Write the pages of the reference before sphinx looks for pages."""
    api_pages.write_pages(HERE / "api")
    app.connect("autodoc-skip-member", members_of_the_package)
