"""Settings and lists, checked before anything runs; the pages made from the schema."""
