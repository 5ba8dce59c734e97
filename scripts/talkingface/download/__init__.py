"""Raw files: local ones, and those that yt-dlp gets."""
