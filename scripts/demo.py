"""Make the demonstration videos and their videos.csv: python scripts/demo.py FOLDER"""

import sys
from pathlib import Path

from talkingface.demo.videos import make_demo

if len(sys.argv) != 2:
    sys.exit(__doc__)
folder = Path(sys.argv[1])
if not (folder / "truth.json").exists():
    make_demo(folder)
print(f"{folder}/videos.csv lists the demonstration videos")
