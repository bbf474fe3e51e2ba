"""What every other package needs: commands, the engine's client, errors, files of the state folder, locks, names."""
