#!/bin/sh
# Compile requirements.in to requirements.txt, with hashes: `sh lock.sh [PACKAGE OF UBUNTU …]`.
set -eu
# What it downloads, `pip install` will not download again.
unset PIP_NO_CACHE_DIR
export PIP_TOOLS_CACHE_DIR=/var/cache/pip

compile() {
    CUSTOM_COMPILE_COMMAND="make lock" python pip_compile.py --generate-hashes --allow-unsafe --strip-extras \
        --resolver=backtracking --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --pip-args "$1" --output-file requirements.txt requirements.in >/dev/null
}

# Wheels need no compiler. Where a package has none that fits, its source code is taken; what the
# first try has to say is then of no interest, for the second says all that is wrong.
if compile '--only-binary :all:' 2>/dev/null; then
    exit 0
fi
# Most source code tells what it needs without being compiled.
if ! compile '--prefer-binary' 2>errors; then
    if ! grep -q 'subprocess-exited-with-error\|metadata-generation-failed' errors; then
        # pip-compile adds the traceback of its own code.
        awk '/^Traceback/ { inside = 1; next } inside && /^ / { next } { inside = 0; print }' errors >&2
        exit 1
    fi
    sh "$(dirname "$0")"/compiler.sh "$@"
    compile '--prefer-binary'
fi
printf '# built from source code\n' >>requirements.txt
