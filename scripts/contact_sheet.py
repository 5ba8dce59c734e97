"""Draw a picture of a dataset: python scripts/contact_sheet.py RESULTS PICTURE"""

import sys
from pathlib import Path

from talkingface.media.picture import write_picture
from talkingface.overlay.contact_sheet import contact_sheet, read_dataset

if len(sys.argv) != 3:
    sys.exit(__doc__)
results, picture = Path(sys.argv[1]), Path(sys.argv[2])
write_picture(contact_sheet(results, read_dataset(results / "dataset" / "clips.csv")), picture)
