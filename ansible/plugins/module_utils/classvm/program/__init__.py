"""The host program `classvm`: what the kit does on a class VM, as one program with one exec per question."""
