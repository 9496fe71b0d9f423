"""One record per accelerator: everything that is said of it anywhere."""
