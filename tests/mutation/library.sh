# shellcheck shell=sh
# Functions for the scripts of the mutations, which run as root on the class VM. The variables in capitals
# come from mutator.py. Functions that undo something also work twice, and after half a mutation.
set -eu

good=classvm-mutation:good

# keep FILE: save a copy before the file is changed.
keep() {
    cp --archive "$1" "$ASIDE/$(basename "$1")"
}

# give_back FILE: restore the saved copy.
give_back() {
    # -e is false for a dangling symbolic link.
    if [ -e "$ASIDE/$(basename "$1")" ] || [ -L "$ASIDE/$(basename "$1")" ]; then
        cp --archive --remove-destination "$ASIDE/$(basename "$1")" "$1"
    fi
}

# replace_image NAME < LINES: build these Dockerfile lines on top of an image, under its name.
replace_image() {
    docker tag "$1" "$good"
    user=$(docker image inspect --format '{{.Config.User}}' "$good")
    {
        printf 'FROM %s\nUSER 0:0\n' "$good"
        cat
        printf '\nUSER %s\n' "${user:-0:0}"
    } | docker build --quiet --tag "$1" - >/dev/null
}

# bring_back_image NAME: give the name back to the original image.
bring_back_image() {
    if docker image inspect "$good" >/dev/null 2>&1; then
        docker tag "$good" "$1"
        docker image rm "$good" >/dev/null
    fi
    docker image prune --force >/dev/null
}

# remove CONTAINER: remove it if it exists.
remove() {
    docker ps --all --quiet --filter "name=^$1\$" | xargs --no-run-if-empty docker rm --force >/dev/null
}

# serve ARGUMENTS…: replace the service's container by that of `docker ARGUMENTS…`.
serve() {
    remove "$CONTAINER"
    docker "$@" >/dev/null
    wait_for_service
}

# wait_for_service: wait until it answers its health check, at most 30 tries; if not, the checks notice.
wait_for_service() {
    for _ in $(seq 30); do
        # shellcheck disable=SC2086 # the health check of the image is several words
        if docker exec "$CONTAINER" $HEALTHCHECK >/dev/null 2>&1; then
            return
        fi
        sleep 0.2
    done
}

# restart_engine: systemd counts starts, and refuses the fourth within a minute.
restart_engine() {
    systemctl reset-failed docker.service
    systemctl restart docker.service
    wait_for_service
}

# change_setting NAME [JSON]: set a setting in the engine's file, or remove it.
change_setting() {
    keep "$DAEMON_JSON"
    python3 - "$DAEMON_JSON" "$@" <<'PYTHON'
import json, sys
path, name, *value = sys.argv[1:]
settings = json.load(open(path))
if not value:
    del settings[name]
settings.update((name, json.loads(one)) for one in value)
json.dump(settings, open(path, "w"))
PYTHON
}

# start_canary: start a container that publishes the port after the service's, and accepts connections there.
start_canary() {
    docker run --detach --name "$CANARY" --publish "$CANARY_PORT:$CANARY_PORT" "$BASE" \
        perl -MIO::Socket::INET -e \
        '$s = IO::Socket::INET->new(LocalPort => shift, Listen => 9) or die; 1 while $s->accept' \
        "$CANARY_PORT" >/dev/null
}

# load_guard [SED-EXPRESSION]: load the guard's file, after a change by sed.

load_guard() {
    sed --expression "${1:-}" "$RULES" | nft --file -
}
