"""The contract check: calls every operation of a spec and validates each answer."""
