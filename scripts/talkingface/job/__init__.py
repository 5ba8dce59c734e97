"""What every job does around its work: log, progress, files, one GPU."""
