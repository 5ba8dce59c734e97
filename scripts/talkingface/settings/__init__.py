"""config.yaml and videos.csv, checked before anything runs."""
