"""What a run is about to do, and how far it is."""
