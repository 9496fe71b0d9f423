"""Hardware profiles: which peers a run uses, loaded from YAML and resolved into a line-up of probed peers."""
