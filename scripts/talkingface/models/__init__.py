"""The store of checkpoints: a table of models, and how a file gets there."""
