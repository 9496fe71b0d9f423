"""What was seen of a cell: measurements of what was sent, memory as it was left, demand, proof, and fate."""
