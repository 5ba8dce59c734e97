"""Videos taken out of a workspace: which are meant, where anything of them is, what is left."""
