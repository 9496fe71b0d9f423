"""Hardware profiles: which peers a run uses, loaded from YAML."""
