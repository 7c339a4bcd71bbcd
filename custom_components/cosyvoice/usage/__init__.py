"""Count billed usage and compare it with the monthly budget."""
