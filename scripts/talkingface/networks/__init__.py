"""What backends with a network share: devices, batches, weights, and mediapipe's solutions."""
