"""What every pixel shows: the stage and its backends."""
