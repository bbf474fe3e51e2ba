"""Write docs/program.schema.json: what the host program is asked and answers.

python tools/program_schema.py            write the document
python tools/program_schema.py --check    fail if it is not current
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "ansible/plugins/module_utils"))

from classvm.program import schema  # noqa: E402 - the path of the package is set before

DOCUMENT = "docs/program.schema.json"


def text() -> str:
    """Return the document."""
    return json.dumps(schema.document(), indent=2) + "\n"


def main() -> int:
    """Write or compare the document; return the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    path = ROOT / DOCUMENT
    if not parser.parse_args().check:
        path.write_text(text(), encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text():
        print(
            f"{DOCUMENT} is not current. Run: .venv/bin/python tools/program_schema.py",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
