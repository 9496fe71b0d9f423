"""Running a planned cell: scratch space, peer processes, what is measured and what is observed."""
