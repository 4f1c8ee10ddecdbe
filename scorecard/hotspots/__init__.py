"""The page of hot spots: what its address asks for, what is drawn and written of it, and what one cell holds."""
