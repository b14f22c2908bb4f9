"""On PYTHONPATH, this hides what the extra `measure` alone brings, as where it is not installed."""

import sys

for package in ("babel", "jinja2", "markdown_it", "markupsafe", "mdurl", "pygments", "rich", "scipy"):
    sys.modules[package] = None
