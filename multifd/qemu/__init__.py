"""Real QEMU processes: which binary, what it says of itself, a stopped guest, a migration driven to its end."""
