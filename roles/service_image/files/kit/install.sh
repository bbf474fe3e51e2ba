#!/bin/sh
# Install exactly the packages of requirements.txt, each checked against its hash.
# Usage: sh install.sh [PACKAGE OF UBUNTU …]; they are needed where a package is built from source code.
set -eu
unset PIP_NO_CACHE_DIR
export PIP_CACHE_DIR=/var/cache/pip

only='--only-binary :all:'
if grep -q '^# built from source code$' requirements.txt; then
    sh "$(dirname "$0")"/compiler.sh "$@"
    only='--prefer-binary'
fi
# shellcheck disable=SC2086 # two words
python "$PIP" install --quiet --no-compile $only --require-hashes --requirement requirements.txt

# Python cannot keep what it compiles on a read-only file system, so that is done here. A file that
# is not for Python 3.7 is none that the app uses.
python -m compileall -q -j 0 -x '/(tests|setuptools)/' /opt/venv/lib >/dev/null ||
    echo "Some files of the packages are not for Python 3.7."
