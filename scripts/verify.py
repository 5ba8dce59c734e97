"""Find damaged and missing files of a workspace: python scripts/verify.py [WORKSPACE]"""

import argparse
import os
import sys
from pathlib import Path

from talkingface.monitor.verify import run_verify

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("workspace", nargs="?", type=Path, default=Path(), help="default: here")
parser.add_argument("--decode", action="store_true", help="decode every file in full, too")
parser.add_argument("--remake", action="store_true", help="have the next run make them again")
parser.add_argument("--record", action="store_true", help="note checksums where there are none")
parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all cores")
sys.exit(run_verify(**vars(parser.parse_args())))
