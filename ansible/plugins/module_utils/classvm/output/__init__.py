"""What a person sees of a run: steps as they begin, failures in full once, and a log of everything."""
