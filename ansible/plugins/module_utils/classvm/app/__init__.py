"""Read an app's folder on the control node: its layout, spec, lock and files."""
