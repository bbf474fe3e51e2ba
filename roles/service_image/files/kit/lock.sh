#!/bin/sh
# Compile requirements.in to requirements.txt, with hashes: `sh lock.sh [PACKAGE OF UBUNTU …]`.
set -eu

compile() {
    CUSTOM_COMPILE_COMMAND="make lock" pip-compile --generate-hashes --allow-unsafe --strip-extras \
        --resolver=backtracking --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --pip-args "$1" --output-file requirements.txt requirements.in >/dev/null
}

# Wheels need no compiler. Where a package has none that fits, its source code is taken; what the
# first try has to say is then of no interest, and the second says all that is wrong.
if ! compile '--only-binary :all:' 2>/dev/null; then
    sh "$(dirname "$0")"/compiler.sh "$@"
    compile '--prefer-binary'
    printf '# built from source code\n' >>requirements.txt
fi
