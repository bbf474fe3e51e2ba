"""The admin's half: engine, guard, HAProxy, and the record of what a host has."""
