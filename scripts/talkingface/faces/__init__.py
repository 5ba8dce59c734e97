"""Faces: detection, tracks, mesh, landmarks, pose, expression, hands."""
