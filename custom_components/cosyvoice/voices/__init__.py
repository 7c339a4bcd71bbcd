"""Names and languages of voices."""
