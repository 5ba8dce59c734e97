"""The files that a report consists of."""

from __future__ import annotations

# Relative to its folder; the last is what one opens. Licences lie beside them.
FILES = (
    *(f"data/{name}.js" for name in ("candidates", "run", "videos")),
    "page.css",
    "page.js",
    "index.html",
)
