"""Handlers of the service: one module per path of ``master.yml``."""
