"""Write config.yaml, docs/settings.md and the tables of other pages in docs/.

python scripts/make_docs.py          write them
python scripts/make_docs.py --check  only say which of them are out of date
"""

import argparse
import sys
from pathlib import Path

from talkingface.exports.table import exports_table
from talkingface.loader import ITEMS
from talkingface.models.table import models_table
from talkingface.settings.describe import markdown_table
from talkingface.settings.pages import columns_tables, make_pages, purposes_table, stages_table

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--check", action="store_true", help="only say which are out of date")
parser.add_argument(
    "folder", nargs="?", type=Path, default=Path(__file__).parents[1], help="default: this project"
)
options = parser.parse_args()
items = [
    (f"`{item.name}`", item.content, item.shape, item.dtype, item.unit, item.feature)
    for item in ITEMS.values()
]
parts = {
    "purposes": purposes_table(),
    "stages": stages_table(),
    "tables": columns_tables(),
    "items": markdown_table(("item", "content", "shape", "dtype", "unit", "feature"), items),
    "models": models_table(),
    "exports": exports_table(),
}
pages = make_pages(options.folder, parts)
stale = [path for path in pages if not path.exists() or path.read_text("utf-8") != pages[path]]
if options.check:
    sys.exit("\n".join(f"{path} is out of date: run make docs" for path in stale) or None)
for path in stale:
    path.write_text(pages[path], "utf-8")
    print(f"{path} was written")
