"""The demonstration's videos, drawn here, with the truth about them."""
