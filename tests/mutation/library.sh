# shellcheck shell=sh
# What the faults are made with. It goes before each of their scripts, as root on the class VM; the
# variables in capitals are those of saboteur.py. What undoes may run twice, or after a half.
set -eu

good=classvm-sabotage:good

# keep FILE: put a copy aside, before it is changed.
keep() {
    cp --archive "$1" "$ASIDE/$(basename "$1")"
}

# give_back FILE: put it back as it was.
give_back() {
    # A symbolic link is a file even where it leads nowhere.
    if [ -e "$ASIDE/$(basename "$1")" ] || [ -L "$ASIDE/$(basename "$1")" ]; then
        cp --archive --remove-destination "$ASIDE/$(basename "$1")" "$1"
    fi
}

# replace_image NAME < LINES: let a name mean the image behind it with these lines on top.
replace_image() {
    docker tag "$1" "$good"
    user=$(docker image inspect --format '{{.Config.User}}' "$good")
    {
        printf 'FROM %s\nUSER 0:0\n' "$good"
        cat
        printf '\nUSER %s\n' "${user:-0:0}"
    } | docker build --quiet --tag "$1" - >/dev/null
}

# bring_back_image NAME: let it mean again what it meant.
bring_back_image() {
    if docker image inspect "$good" >/dev/null 2>&1; then
        docker tag "$good" "$1"
        docker image rm "$good" >/dev/null
    fi
    docker image prune --force >/dev/null
}

# remove CONTAINER: whether it is there or not.
remove() {
    docker ps --all --quiet --filter "name=^$1\$" | xargs --no-run-if-empty docker rm --force >/dev/null
}

# serve WORDS…: run a container in the place of the one that serves.
serve() {
    remove "$CONTAINER"
    docker "$@" >/dev/null
    wait_for_service
}

# wait_for_service: let it start. One that does not within 10 s is for the checks to find.
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

# change_setting NAME [JSON]: give a setting in the engine's file another value, or take it out.
change_setting() {
    keep "$DAEMON_JSON"
    python3 - "$DAEMON_JSON" "$@" <<'PYTHON'
import json, sys
path, name, *value = sys.argv[1:]
settings = json.load(open(path))
del settings[name]
settings.update((name, json.loads(one)) for one in value)
json.dump(settings, open(path, "w"))
PYTHON
}

# start_canary: a container that publishes a port beside the service's, and answers there.
start_canary() {
    docker run --detach --name "$CANARY" --publish "$CANARY_PORT:$CANARY_PORT" "$BASE" \
        perl -MIO::Socket::INET -e \
        '$s = IO::Socket::INET->new(LocalPort => shift, Listen => 9) or die; 1 while $s->accept' \
        "$CANARY_PORT" >/dev/null
}

# load_guard [SED-EXPRESSION]: load the guard, or a worse one.
load_guard() {
    sed --expression "${1:-}" "$RULES" | nft --file -
}
