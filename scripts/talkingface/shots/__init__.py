"""The small copy of a video, and where its cuts are."""
