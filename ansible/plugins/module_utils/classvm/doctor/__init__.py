"""What would stop a deploy, on the machine of a person or on a host."""
