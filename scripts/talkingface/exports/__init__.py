"""The layouts that training code reads, made of a finished dataset."""
