"""Draw a picture of a dataset: python scripts/contact_sheet.py RESULTS PICTURE"""

import sys
from pathlib import Path

import cv2
import pandas as pd

from talkingface.contact_sheet import contact_sheet

if len(sys.argv) != 3:
    sys.exit(__doc__)
results, picture = Path(sys.argv[1]), sys.argv[2]
clips = pd.read_csv(results / "dataset" / "clips.csv", dtype={"video_id": str, "clip_id": str})
if not cv2.imwrite(picture, contact_sheet(results, clips)):
    sys.exit(f"{picture}: could not be written")
