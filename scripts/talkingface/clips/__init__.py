"""Which stretches are kept, and their one encode."""
