"""config.yaml and videos.csv, checked before anything runs; the pages made from the schema."""
