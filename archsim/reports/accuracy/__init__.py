"""How far the predictions of archsim are from measurements: scores, and what a reader sees of them."""
