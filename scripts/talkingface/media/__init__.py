"""Reading and writing media on one clock: 25 frames and 16,000 samples a second.

Time 0 is the presentation time of a file's first video frame. No stage opens a video file, or the
sound of one, but through this package.
"""
