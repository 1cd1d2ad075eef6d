"""What is known besides samples: the servers (later users, keys, rules)."""
