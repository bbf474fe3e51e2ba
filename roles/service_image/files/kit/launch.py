"""Start a student's program in its container; see `classvm_kit.program`.

python launch.py server.py
python launch.py -m package
python launch.py module:app
python launch.py --own-server 5000 server.py
"""

import sys

from classvm_kit import program, supervisor

if __name__ == "__main__":
    if sys.argv[1] == "--own-server":
        sys.exit(supervisor.run(sys.argv[3:], int(sys.argv[2])))
    program.main(sys.argv[1:])
