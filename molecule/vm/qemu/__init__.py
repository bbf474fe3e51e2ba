"""Real virtual machines for the scenario `vm`: disks, QEMU, and the command that runs both."""
