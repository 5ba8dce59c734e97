"""The finished dataset: quality, gates, split, tables, summary."""
