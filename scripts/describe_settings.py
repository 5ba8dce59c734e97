"""Write the table of settings into README.md: python scripts/describe_settings.py README.md"""

import sys
from pathlib import Path

from talkingface.settings.load import settings_table

if len(sys.argv) != 2:
    sys.exit(__doc__)
readme = Path(sys.argv[1])
text = readme.read_text("utf-8")
begin = text.index("\n", text.index("<!-- settings")) + 1
end = text.index("<!-- end of settings -->")
readme.write_text(text[:begin] + settings_table() + text[end:], "utf-8")
