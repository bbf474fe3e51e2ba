"""The student's half: candidate, swap, recovery, rollback, history."""
