"""Where the project and the footage for tests are."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
# Real footage with labels; tests that need it are skipped where it is not.
FOOTAGE = Path(os.environ.get("TALKINGFACE_FOOTAGE", ROOT.parent / "shared"))
SAMPLES = FOOTAGE / "samples"
TALKERS = FOOTAGE / "footage"
