"""What a check found, in words for a person."""

from __future__ import annotations

from classvm.doctor import finding


def test_the_report_is_aligned_and_ends_with_a_summary() -> None:
    findings = [
        finding.Finding("ok", "clock", "right"),
        finding.Finding("FAIL", "disk for state", "full", "sudo apt-get clean"),
    ]
    assert finding.report(findings).splitlines() == [
        "ok    clock:          right",
        "FAIL  disk for state: full",
        "      fix: sudo apt-get clean",
        "doctor: 2 checks, 0 warned, 1 failed: disk for state",
    ]
