"""Configuration of the documentation site, which `make docs` builds."""

import sys
from pathlib import Path

import gossamer

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Gossamer"
author = "The Gossamer authors"
project_copyright = author
version = release = gossamer.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_copybutton",
    "mathml",
    "api_pages",
    "gallery",
]
exclude_patterns = ["_extensions"]

autodoc_typehints = "none"  # the sections on parameters name the types
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
default_role = "py:obj"
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True

html_math_renderer = "mathml"
html_theme = "furo"
html_title = "Gossamer"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
