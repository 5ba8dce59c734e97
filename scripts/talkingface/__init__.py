"""Talking-face datasets from videos: the library behind the workflow's scripts."""
