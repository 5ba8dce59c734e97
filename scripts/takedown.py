"""Remove videos from a workspace, wherever anything of them is, and say what was removed:

python scripts/takedown.py WORKSPACE VIDEO_OR_SOURCE ...
"""

import argparse
import sys
from pathlib import Path

from talkingface.monitor.takedown.takedown import run_takedown

parser = argparse.ArgumentParser(
    description=__doc__.splitlines()[0],
    epilog="What is the same recording as one of these, by its source or its file, goes with it.",
)
parser.add_argument("workspace", type=Path, help="the folder of the run")
parser.add_argument(
    "references",
    nargs="*",
    metavar="VIDEO_OR_SOURCE",
    help="the name of a video in videos.csv, an address, or the path of a file",
)
parser.add_argument("--identity", help="all videos of somebody, by the column of videos.csv")
parser.add_argument("--videos", type=Path, help="the list of videos; default: its videos.csv")
parser.add_argument(
    "--decisions", type=Path, help="what was decided by hand; default: its decisions.csv, if any"
)
parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
sys.exit(run_takedown(**vars(parser.parse_intermixed_args())))
