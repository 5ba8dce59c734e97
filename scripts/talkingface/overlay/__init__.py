"""Films and sheets of the clips, to look at."""
