"""SyncNet, a learned backend of `sync`."""
