"""The one exception that ends a task with a message written for its reader."""

from __future__ import annotations


class ClassvmError(Exception):
    """Something stops the work; the text names the cause and the next command."""
