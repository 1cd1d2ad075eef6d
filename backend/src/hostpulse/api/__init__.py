"""HTTP in, JSON out: nothing below this folder knows Flask."""
