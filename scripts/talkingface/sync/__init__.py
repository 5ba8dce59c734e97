"""Lips and sound: who speaks, and by how much the two are out of step."""
