"""From where on an offset that the backend `motion` measures is trusted.

The gates of the dataset read it here, as they need nothing of what measuring takes.
"""

# Chance reached 5 in windows of 5 s of unrelated sound.
TRUSTED_CONFIDENCE = 6.0
# A difference of one frame is within what the measure can tell.
TRUSTED_OFFSET = 2
