"""Reading and writing media on one clock: 25 frames and 16,000 samples a second.

Time 0 is the presentation time of a file's first video frame. Nothing outside this package
opens a video or an audio stream.
"""
