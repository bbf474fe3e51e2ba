"""The base image and the service image."""
