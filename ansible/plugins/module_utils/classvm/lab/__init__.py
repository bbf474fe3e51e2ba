"""Simulated class VMs on this machine."""
