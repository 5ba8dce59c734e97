"""How near every pixel is: the stage and its backends."""
