"""What all learned backends share: devices, batches, weights."""
