"""What is made of the clips' frames: pictures, parsing, background, torso, depth."""
