"""Running a planned cell with real processes: scratch space, peers, QEMUs, programs."""
