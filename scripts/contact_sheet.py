"""Draw a picture of a dataset: python scripts/contact_sheet.py RESULTS PICTURE"""

import sys
from pathlib import Path

import cv2

from talkingface.job.files import read_table
from talkingface.overlay.contact_sheet import contact_sheet

if len(sys.argv) != 3:
    sys.exit(__doc__)
results, picture = Path(sys.argv[1]), sys.argv[2]
clips = read_table(results / "dataset" / "clips.csv")
if not cv2.imwrite(picture, contact_sheet(results, clips)):
    sys.exit(f"{picture}: could not be written")
