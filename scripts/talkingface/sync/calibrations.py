"""How each backend scores, and from where on what it says is acted upon.

Gates of other stages read it here, as they need nothing of what comparing takes.
"""

from __future__ import annotations

from talkingface.sync.probability import Calibration

CALIBRATIONS = {
    # Fitted by benchmarks/lip_sync.py on people the network was not fitted on.
    "mesh": Calibration(
        speaks=0.0564,
        chance=-0.0925,
        speaks_spread=0.0343,
        chance_spread=0.0243,
        frame_spread=0.228,
        chance_peak=2.26,
        offset_gain=0.875,
    ),
    # SyncNet's weights say a distance. Not fitted: chosen so that a stretch of 5 s is as likely as
    # not at a confidence of 3, from which on LatentSync takes it for speech, and a frame at 2.1, as
    # in TalkingVideo; in-step speech has confidences of 6 to 8 (Chung and Zisserman 2016).
    "syncnet": Calibration(
        speaks=6.0,
        chance=0.0,
        speaks_spread=2.0,
        chance_spread=0.7,
        frame_spread=6.0,
        chance_peak=1.0,
        offset_gain=0.5,
    ),
}

# An offset moves the sound where it is so likely within a frame of the truth.
TRUSTED_CERTAINTY = 0.98
