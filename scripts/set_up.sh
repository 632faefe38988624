#!/bin/sh
# Find a Python that rtagent runs on and hand over to scripts/set_up.py.
#
# A candidate is tried by running it: a name on PATH may be a shim that leads nowhere. Versions that
# every dependency has wheels for come first; anything newer is the second choice.
set -eu

cd "$(dirname "$0")/.."

can_run() {
    "$1" -c "import sys; sys.exit(not ((3, 11) <= sys.version_info < $2))" 2>/dev/null
}

for limit in '(3, 14)' '(4,)'; do
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        if can_run "$candidate" "$limit"; then
            exec "$candidate" -m scripts.set_up "$@"
        fi
    done
done

echo "set-up: rtagent needs Python 3.11 or newer and found none;" \
    "install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python" >&2
exit 1
