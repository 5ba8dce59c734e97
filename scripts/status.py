"""Show how far a run is, at any time: python scripts/status.py [WORKSPACE]"""

import argparse
import csv
import sys
from pathlib import Path

from talkingface.monitor.status import describe_status, read_status
from talkingface.settings.videos import list_video_ids

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("workspace", nargs="?", type=Path, default=Path(), help="default: here")
parser.add_argument("--videos", type=Path, help="the list of videos; default: its videos.csv")
options = parser.parse_args()
if not (options.workspace / "results").is_dir():
    sys.exit(f"{options.workspace / 'results'}: no such folder; was it run?")
listed = options.videos or options.workspace / "videos.csv"
if options.videos and not listed.is_file():
    sys.exit(f"{listed}: no such file")
try:
    videos = list_video_ids(listed) if listed.is_file() else None
except (OSError, UnicodeError, csv.Error) as error:
    sys.exit(f"{listed}: cannot be read: {error}")
print(describe_status(read_status(options.workspace / "results", videos)))
