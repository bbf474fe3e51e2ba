"""What may be wrong with a class VM, and which check of tests/infra has to find it.

A fault is made by shell commands as root on the VM, with the functions of library.sh and the
variables of saboteur.py; by a changed `docker run` of the service; or by lines of a Dockerfile on
top of the service's image, which keeps name and labels. What undoes may run twice.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from classvm.base.edge import MAP
from classvm.image.service_image import LABEL_DIGEST, LABEL_RELEASE
from classvm.provision.haproxy import SOCKET, Files
from classvm.release.release_spec import LABEL_SETTINGS

Edit = Callable[[list[str]], list[str]]

PORTS, CONTAINER, HOST = "test_ports.py::", "test_container.py::", "test_host.py::"
IMAGE, GUARD, ENDPOINTS = "test_image.py::", "test_isolation.py::", "test_endpoints.py::"
ANSWERS = f"{ENDPOINTS}test_an_operation_answers_its_examples[src.hello.get]"
LOOK = f"{GUARD}test_only_open_ports_answer_a_quick_look"
KERNEL = f"{GUARD}test_the_guard_in_the_kernel_is_that_of_the_role"
DRY_RUN = f"{HOST}test_a_dry_run_would_change_nothing"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        name: what is wrong, as a clause.
        owner: the check that has to be red: file and function in tests/infra, and in brackets
            what the id of its parameters has to contain.
        apply: commands that make it wrong.
        undo: commands that make it right again.
        run: how the words of the service's `docker run` change; None to leave it alone.
        image: lines of a Dockerfile on top of the service's image.
        silent: whether all requests wait in vain, so that only the owner's file is run.
        quick: whether it is one of the few that `make test` tries.
        edge: whether it takes a host that has HAProxy before the releases.

    """

    name: str
    owner: str
    apply: str = ""
    undo: str = ""
    run: Edit | None = None
    image: str = ""
    silent: bool = False
    quick: bool = False
    edge: bool = False


# --- Another `docker run` -----------------------------------------------------------------------


def added(*words: str) -> Edit:
    """Add words to the options."""
    return lambda all_words: [all_words[0], *words, *all_words[1:]]


def cut(*options: str) -> Edit:
    """Leave out options, each with its value."""

    def edit(words: list[str]) -> list[str]:
        for option in options:
            at = words.index(option)
            words = words[:at] + words[at + 2 :]
        return words

    return edit


def without(word: str) -> Edit:
    """Leave out a word."""
    return lambda words: [one for one in words if one != word]


def swapped(old: str, new: str) -> Edit:
    """Write something else in place of a text, wherever it stands."""
    return lambda words: [one.replace(old, new) for one in words]


def published(change: Callable[[str, str], list[str]]) -> Edit:
    """Publish otherwise: the port of the host and that of the container give the mappings."""

    def edit(words: list[str]) -> list[str]:
        host, container = words[words.index("--publish") + 1].split(":")
        options = [word for one in change(host, container) for word in ("--publish", one)]
        return added(*options)(cut("--publish")(words))

    return edit


def unlabelled(label: str) -> Edit:
    """Leave out a label."""

    def edit(words: list[str]) -> list[str]:
        at = next(n for n, word in enumerate(words) if word.startswith(f"{label}="))
        return words[: at - 1] + words[at + 1 :]

    return edit


# --- Another image ------------------------------------------------------------------------------


def app(code: str) -> str:
    """Return lines of a Dockerfile that change the Flask application `app`."""
    changed = f"""
        _create_app = create_app

        def create_app():
            import time
            from flask import json, request

            app = _create_app()
            {textwrap.indent(textwrap.dedent(code).strip(), " " * 12).strip()}
            return app
        """
    return f"RUN cat >> server.py <<'EOF'\n{textwrap.dedent(changed)}EOF"


def answer(code: str, path: str = "/hello") -> str:
    """Return lines of a Dockerfile that change the response of an operation.

    It happens behind connexion, which would not let a bad answer pass.
    """
    return app(f"""
        @app.after_request
        def spoil(response):
            if request.path.endswith("{path}"):
                {code}
            return response
        """)


def said(change: str, path: str) -> str:
    """Return lines of a Dockerfile that change the JSON of a response."""
    code = f"said = response.get_json(); {change}; response.set_data(json.dumps(said))"
    return answer(code, path)


def accepted(condition: str) -> str:
    """Return lines of a Dockerfile that let the service accept what it should refuse."""
    return app(f"""
        @app.after_request
        def spoil(response):
            if {condition}:
                response.status_code = 200
            return response
        """)


PURELIB = 'import sysconfig; print(sysconfig.get_path("purelib"))'
IN_PACKAGES = f"RUN cd $(python -c '{PURELIB}') && "

# --- The faults ---------------------------------------------------------------------------------

HOST_FAULTS = (
    Fault(
        "the system is none that classvm knows",
        f"{HOST}test_the_system_is_one_that_classvm_knows",
        apply="keep /etc/os-release && sed 's/24.04/23.10/' /usr/lib/os-release > $ASIDE/other"
        " && ln --force --symbolic $ASIDE/other /etc/os-release",
        undo="give_back /etc/os-release",
    ),
    Fault(
        "the engine is stopped",
        f"{HOST}test_the_engine_runs",
        apply="systemctl stop docker.socket docker.service",
        undo="systemctl start docker.socket && restart_engine",
    ),
    Fault(
        "the engine does not start at boot",
        f"{HOST}test_the_engine_starts_at_boot",
        apply="systemctl disable --quiet docker.service",
        undo="systemctl enable --quiet docker.service",
    ),
    Fault(
        "containerd is masked, so that the engine starts without it at the next boot",
        f"{HOST}test_what_the_engine_needs_starts_with_it",
        apply="systemctl mask --quiet containerd.service",
        undo="systemctl unmask --quiet containerd.service",
    ),
    Fault(
        "live-restore is off in the running engine though the file says on",
        f"{HOST}test_the_engine_has_taken_its_settings",
        apply="change_setting live-restore false && systemctl reload docker.service && sleep 1"
        " && give_back $DAEMON_JSON",
        undo="give_back $DAEMON_JSON && systemctl reload docker.service && sleep 1",
        quick=True,
    ),
    Fault(
        "the engine's settings were written after its start",
        f"{HOST}test_the_engine_has_started_since_its_settings_changed",
        apply="keep $DAEMON_JSON && touch $DAEMON_JSON",
        undo="give_back $DAEMON_JSON",
    ),
    Fault(
        "the engine lets containers gain privileges",
        f"{HOST}test_containers_gain_no_privileges",
        apply="change_setting no-new-privileges && restart_engine",
        undo="give_back $DAEMON_JSON && restart_engine",
    ),
    Fault(
        "the engine does not bound logs",
        f"{HOST}test_the_engine_bounds_the_logs",
        apply="change_setting log-opts && restart_engine",
        undo="give_back $DAEMON_JSON && restart_engine",
    ),
    Fault(
        "the log of the container may grow to 100 GB",
        f"{HOST}test_the_log_of_the_service_is_bounded",
        run=added("--log-opt", "max-size=100g"),
    ),
    Fault(
        "the clock is an hour fast",
        f"{HOST}test_the_clock_is_right",
        # The kernel's clock is that of the control node, too, so whoever logs in is deceived
        # instead. In /etc/ld.so.preload the library would stop sshd: its sandbox kills it.
        apply="apt-get install --quiet=2 --no-install-recommends libfaketime > $ASIDE/apt 2>&1"
        " && keep /etc/environment && library=$(dpkg --listfiles libfaketime | grep MT.so)"
        ' && printf "LD_PRELOAD=%s\\nFAKETIME=+1h\\n" "$library" >> /etc/environment',
        undo="give_back /etc/environment",
    ),
    Fault(
        "SSH listens on another port, too",
        f"{HOST}test_the_ssh_server_listens_nowhere_else",
        apply="systemd-run --quiet --unit sabotage-sshd /usr/sbin/sshd -D -p $OTHER_PORT"
        " && sleep 0.5",
        undo="systemctl stop 'sabotage-sshd.*'",
    ),
    Fault(
        "the host does not know that it was provisioned",
        DRY_RUN,
        apply="keep $STATE_DIR/provision.json && rm $STATE_DIR/provision.json",
        undo="give_back $STATE_DIR/provision.json",
    ),
)

PORT_FAULTS = (
    Fault(
        "the service is published on another port",
        f"{PORTS}test_docker_port_shows_exactly_the_mapping",
        run=published(lambda host, container: [f"{int(host) + 2}:{container}"]),
    ),
    Fault(
        "the service is published on loopback only",
        f"{PORTS}test_the_service_answers_from_outside[IPv4]",
        run=published(lambda host, container: [f"127.0.0.1:{host}:{container}"]),
        quick=True,
    ),
    Fault(
        "the service is published over IPv4 only",
        f"{PORTS}test_the_service_answers_from_outside[IPv6]",
        run=published(lambda host, container: [f"0.0.0.0:{host}:{container}"]),
    ),
    Fault(
        "the service is published on a second port",
        f"{PORTS}test_docker_port_shows_exactly_the_mapping",
        run=published(lambda host, container: [f"{host}:{container}", f"{container}"]),
    ),
    Fault(
        "the service is published on the outer addresses only",
        f"{PORTS}test_the_host_listens_on_the_port_everywhere",
        run=published(
            lambda host, container: [
                f"$ADDRESS:{host}:{container}",
                f"[$ADDRESS6]:{host}:{container}",
            ]
        ),
    ),
    Fault(
        "programs on the host do not reach the service",
        f"{PORTS}test_the_service_answers_on_the_host_itself",
        apply="nft add table inet sabotage && nft add chain inet sabotage output"
        " '{ type filter hook output priority 0; }'"
        " && nft add rule inet sabotage output oif lo tcp dport $HOST_PORT reject",
        undo="echo table inet sabotage\\; delete table inet sabotage | nft --file -",
    ),
    Fault(
        "the container's port is published, and open in the guard",
        f"{PORTS}test_the_container_port_is_closed_from_outside",
        run=published(lambda host, container: [f"{host}:{container}", f"{container}:{container}"]),
        apply='load_guard "s/OPEN_TCP = {/& $CONTAINER_PORT,/"',
        undo="load_guard",
    ),
    Fault(
        "another container holds the port",
        f"{CONTAINER}test_one_container_publishes_the_port",
        apply="docker stop --timeout 1 $CONTAINER >/dev/null"
        " && docker run --detach --name $SECOND --publish $HOST_PORT:$CONTAINER_PORT $IMAGE"
        " >/dev/null",
        undo="remove $SECOND && docker start $CONTAINER >/dev/null && wait_for_service",
    ),
)

CONTAINER_FAULTS = (
    Fault(
        "the container is stopped",
        f"{CONTAINER}test_exactly_one_container_serves",
        apply="docker stop --timeout 1 $CONTAINER >/dev/null",
        undo="docker start $CONTAINER >/dev/null && wait_for_service",
        quick=True,
    ),
    Fault(
        "the service runs as root",
        f"{CONTAINER}test_the_service_runs_as_the_user_of_the_dockerfile",
        run=added("--user", "0:0"),
        quick=True,
    ),
    Fault(
        "the service has a capability",
        f"{CONTAINER}test_the_service_has_no_capability",
        run=added("--user", "0:0", "--cap-add", "NET_RAW"),
    ),
    Fault(
        "the service could gain a capability",
        f"{CONTAINER}test_the_service_can_gain_no_capability",
        run=added("--cap-add", "NET_RAW"),
    ),
    Fault(
        "the service may gain privileges",
        f"{CONTAINER}test_the_service_can_gain_no_privilege",
        # Leaving the word out would not do: the engine's settings have it, too.
        run=swapped("no-new-privileges", "no-new-privileges=false"),
    ),
    Fault(
        "system calls are not filtered",
        f"{CONTAINER}test_the_system_calls_are_filtered",
        run=added("--security-opt", "seccomp=unconfined"),
    ),
    Fault(
        "the root file system is writable",
        f"{CONTAINER}test_the_root_file_system_is_read_only",
        run=without("--read-only"),
    ),
    Fault(
        "the scratch folder runs programs",
        f"{CONTAINER}test_the_scratch_folder_is_bounded_and_runs_nothing",
        run=swapped("noexec", "exec"),
    ),
    Fault(
        "the memory is not limited",
        f"{CONTAINER}test_the_memory_is_limited",
        run=cut("--memory", "--memory-swap"),
        quick=True,
    ),
    Fault(
        "the number of processes is not limited",
        f"{CONTAINER}test_the_number_of_processes_is_limited",
        run=cut("--pids-limit"),
    ),
    Fault(
        "the service does not come back after a crash",
        f"{CONTAINER}test_the_service_comes_back_after_a_crash_or_a_boot",
        run=cut("--restart"),
    ),
    Fault(
        "the health check fails",
        f"{CONTAINER}test_the_container_is_healthy",
        run=added(
            *("--health-cmd", "exit 1", "--health-interval", "1s", "--health-retries", "1"),
        ),
    ),
    Fault(
        "two containers of the service run",
        f"{CONTAINER}test_exactly_one_container_serves",
        apply="docker run --detach --name $SECOND $IMAGE >/dev/null",
        undo="remove $SECOND",
    ),
    Fault(
        "a former release is left behind",
        f"{CONTAINER}test_no_candidate_or_former_release_is_left",
        apply="docker create --name $SECOND $IMAGE >/dev/null",
        undo="remove $SECOND",
    ),
)

IMAGE_FAULTS = (
    Fault(
        "the health check lies: it succeeds whatever the service says",
        f"{IMAGE}test_the_health_check_is_the_one_of_the_dockerfile",
        run=added("--health-cmd", "true"),
    ),
    Fault(
        "another Ubuntu is inside",
        f"{IMAGE}test_the_system_inside_is_the_one_of_the_lab",
        image="RUN sed --in-place --follow-symlinks s/18.04/20.04/ /etc/os-release",
    ),
    Fault(
        "another Python is inside",
        f"{IMAGE}test_the_python_inside_is_the_one_of_the_dockerfile",
        # The service itself goes on with the Python that its packages were built for.
        image="RUN apt-get update\n"
        "RUN apt-get install --yes --no-install-recommends python3.8-minimal libpython3.8-stdlib\n"
        "RUN sed --in-place '1s/python$/python3.7/' /opt/venv/bin/gunicorn"
        " && ln --force --symbolic /usr/bin/python3.8 /opt/venv/bin/python"
        " && ln --symbolic python3.7 /opt/venv/lib/python3.8",
    ),
    Fault(
        "a package is installed that the lock does not have",
        f"{IMAGE}test_the_installed_packages_are_those_of_the_lock",
        image=f"{IN_PACKAGES} mkdir stowaway-1.0.dist-info && cd stowaway-1.0.dist-info"
        " && printf 'Name: stowaway\\nVersion: 1.0\\n' > METADATA && touch RECORD",
    ),
    Fault(
        "a package is missing",
        f"{IMAGE}test_the_installed_packages_are_those_of_the_lock",
        image=f"{IN_PACKAGES} rm --recursive swagger_ui_bundle*",
    ),
    Fault(
        "a file of a package was changed",
        f"{IMAGE}test_no_file_of_a_package_was_changed",
        image=f"{IN_PACKAGES} echo >> flask/__init__.py",
        quick=True,
    ),
    Fault(
        "other code lies among the packages",
        f"{IMAGE}test_no_other_code_lies_among_the_packages",
        image=f"{IN_PACKAGES} touch stowaway.py",
    ),
    Fault(
        "software can be compiled inside",
        f"{IMAGE}test_nothing_inside_compiles_software",
        image="RUN apt-get update\nRUN apt-get install --yes --no-install-recommends make",
    ),
    Fault(
        "software can be installed inside",
        f"{IMAGE}test_nothing_inside_installs_software",
        image="RUN apt-get update\n"
        f"{IN_PACKAGES} apt-get download python-pip-whl && dpkg --extract python-pip-whl*.deb /tmp"
        " && rm *.deb && python -m zipfile -e /tmp/usr/share/python-wheels/pip-*.whl .",
    ),
    Fault(
        "the container bears another release",
        f"{IMAGE}test_the_container_bears_the_release_of_the_tree",
        # Else it would have the image's.
        run=swapped(f"{LABEL_RELEASE}=", f"{LABEL_RELEASE}=x"),
    ),
    Fault(
        "the image lacks a label",
        f"{IMAGE}test_the_image_bears_the_labels_of_the_tree",
        image=f'LABEL {LABEL_DIGEST}=""',
    ),
    Fault(
        "the container was started with other settings",
        f"{IMAGE}test_the_container_was_started_with_the_settings_of_the_host",
        run=unlabelled(LABEL_SETTINGS),
    ),
    Fault(
        "the name of the image means a newer one than the container runs",
        f"{IMAGE}test_the_container_runs_the_image_that_its_name_means",
        apply="echo RUN touch /newer | replace_image $IMAGE",
        undo="bring_back_image $IMAGE",
    ),
    Fault(
        "the image stands on another base",
        f"{IMAGE}test_the_image_stands_on_the_base_image",
        apply="echo RUN touch /other | replace_image $BASE",
        undo="bring_back_image $BASE",
    ),
    Fault(
        "one byte of a source file differs under the right name",
        f"{IMAGE}test_the_files_of_the_service_are_those_of_the_tree",
        image="RUN echo >> src/hello.py",
        quick=True,
    ),
    Fault(
        "a source file is missing",
        f"{IMAGE}test_the_files_of_the_service_are_those_of_the_tree",
        image="RUN rm src/__init__.py",
    ),
    Fault(
        "another file lies among those of the service",
        f"{IMAGE}test_no_other_file_lies_among_those_of_the_service",
        image="RUN touch src/stowaway.py",
    ),
)

GUARD_FAULTS = (
    Fault(
        "the guard is flushed",
        KERNEL,
        apply="nft flush table inet $TABLE",
        undo="load_guard",
        quick=True,
    ),
    Fault(
        "the guard is gone, and a canary is seen",
        f"{LOOK}[control node]",
        apply="nft delete table inet $TABLE && start_canary",
        undo="remove $CANARY && load_guard",
    ),
    Fault(
        "the guard opens a range",
        f"{LOOK}[neighbour]",
        apply="load_guard 's/dport $OPEN_TCP/dport 1-65535/'",
        undo="load_guard",
    ),
    Fault(
        "the guard lets a neighbour pass",
        f"{LOOK}[neighbour]",
        apply='load_guard "s/iif .lo. accept/&; ip saddr { $NEIGHBOURS } accept/"',
        undo="load_guard",
        quick=True,
    ),
    Fault(
        "the guard forgets IPv6",
        f"{LOOK}[IPv6]",
        apply="nft delete table inet $TABLE"
        " && sed 's/table inet/table ip/; /icmpv6/d; /sport 547/d' $RULES | nft --file -",
        # Deleted whether it is there or not.
        undo="echo table ip $TABLE\\; delete table ip $TABLE | nft --file - && load_guard",
        quick=True,
    ),
    Fault(
        "the guard stands behind the engine's rewriting, and a canary is seen",
        f"{LOOK}[neighbour]",
        apply="load_guard 's/hook prerouting priority mangle/hook input priority filter/'"
        " && start_canary",
        undo="remove $CANARY && load_guard",
    ),
    Fault(
        "the guard opens a canary's port",
        f"{LOOK}[control node]",
        apply='start_canary && load_guard "s/OPEN_TCP = {/& $CANARY_PORT,/"',
        undo="remove $CANARY && load_guard",
    ),
    Fault(
        "the guard says no instead of nothing",
        LOOK,
        apply="load_guard 's/counter drop/counter reject with tcp reset/'",
        undo="load_guard",
    ),
    Fault(
        "the guard closes the service's port",
        LOOK,
        apply='load_guard "s/, $HOST_PORT//; s/$HOST_PORT, //"',
        undo="load_guard",
        silent=True,
    ),
    Fault(
        "another guard lies on the disk, for the next boot",
        f"{GUARD}test_the_guard_on_disk_is_that_of_the_role",
        apply="keep $RULES && sed --in-place 's/counter drop/counter accept/' $RULES",
        undo="give_back $RULES",
    ),
    Fault(
        "the guard does not lie on the disk",
        f"{GUARD}test_the_guard_on_disk_is_that_of_the_role",
        apply="keep $RULES && rm $RULES",
        undo="give_back $RULES",
    ),
    Fault(
        "the guard does not start at boot",
        f"{GUARD}test_the_guard_starts_at_boot",
        apply="systemctl disable --quiet $UNIT",
        undo="systemctl enable --quiet $UNIT",
        quick=True,
    ),
    Fault(
        "the guard's unit starts it too late",
        f"{GUARD}test_the_units_of_the_guard_are_those_of_the_role",
        apply="keep $UNIT_FILE && sed --in-place s/network-pre.target/multi-user.target/ $UNIT_FILE"
        " && systemctl daemon-reload",
        undo="give_back $UNIT_FILE && systemctl daemon-reload",
    ),
    Fault(
        "the guard does not come back with nftables",
        f"{GUARD}test_the_guard_comes_back_with_nftables",
        apply="keep $DROP_IN && rm $DROP_IN && systemctl daemon-reload && give_back $DROP_IN",
        undo="give_back $DROP_IN && systemctl daemon-reload",
    ),
)

ENDPOINT_FAULTS = (
    Fault(
        "an endpoint answers a wrong type",
        ANSWERS,
        image=answer("response.set_data(json.dumps({'message': 5}))"),
        quick=True,
    ),
    Fault(
        "an endpoint answers a wrong status",
        ANSWERS,
        image=answer("response.status_code = 202"),
    ),
    Fault(
        "an endpoint answers a wrong media type",
        ANSWERS,
        image=answer("response.mimetype = 'text/html'"),
    ),
    Fault(
        "an endpoint answers an extra field",
        f"{ENDPOINTS}test_an_operation_answers_no_undeclared_field[src.hello.get]",
        image=said("said['extra'] = 1", "/hello"),
    ),
    Fault(
        "an endpoint answers slowly",
        f"{ENDPOINTS}test_an_operation_answers_quickly[src.hello.get]",
        image=answer("time.sleep(2.5)"),
    ),
    Fault(
        "an operation is missing",
        ANSWERS,
        image="RUN sed --in-place 's,^  /hello:,  /hallo:,' master.yml",
    ),
    Fault(
        "an operation accepts wrong values",
        f"{ENDPOINTS}test_an_operation_refuses_wrong_values",
        image=accepted("response.status_code == 400 and not request.is_json"),
    ),
    Fault(
        "a request may have an undeclared field",
        f"{ENDPOINTS}test_an_undeclared_field_of_a_request_is_refused",
        image=accepted("response.status_code == 400 and request.is_json"),
    ),
    Fault(
        "an undeclared method is accepted",
        f"{ENDPOINTS}test_an_undeclared_method_is_refused",
        image=accepted("response.status_code == 405"),
    ),
    Fault(
        "an unknown path is found",
        f"{ENDPOINTS}test_an_unknown_path_is_not_found",
        image=accepted("response.status_code == 404"),
    ),
    Fault(
        "the service hides one of its operations",
        f"{ENDPOINTS}test_the_service_describes_the_operations_of_the_contract",
        image=said("said['endpoints'].pop()", "/describe"),
    ),
    Fault(
        "the health endpoint names another model",
        f"{ENDPOINTS}test_the_health_endpoint_names_the_model_of_the_tree",
        image=said("said['model_version'] = 'x' + said['model_version'][1:]", "/health"),
    ),
    Fault(
        "the health endpoint tells a wrong uptime",
        f"{ENDPOINTS}test_the_uptime_is_that_of_the_container",
        image=said("said['uptime_seconds'] += 1000", "/health"),
    ),
    Fault(
        "the health check lies: it succeeds though the service is not ready",
        f"{ENDPOINTS}test_the_health_check_and_the_health_endpoint_agree",
        image="RUN rm data/model.json && echo > healthcheck.py",
    ),
)

EDGE = "test_edge.py::"
CONFIG = str(Files().config)
RELOAD = "systemctl reload haproxy"


def rewritten(name: str, owner: str, path: str, change: str, more: str = ":") -> Fault:
    """Return the fault that a file of the edge was changed by an expression of sed."""
    return Fault(
        name,
        f"{EDGE}{owner}",
        apply=f"keep {path}; sed -i '{change}' {path}; {more}",
        undo=f"give_back {path}; {more}",
        edge=True,
    )


EDGE_FAULTS = (
    Fault(
        "HAProxy does not start at boot",
        f"{EDGE}test_haproxy_runs_and_starts_at_boot",
        apply="systemctl disable --quiet haproxy",
        undo="systemctl enable --quiet haproxy",
        edge=True,
    ),
    rewritten(
        "HAProxy waits longer for a request",
        "test_the_files_of_the_edge_are_those_of_the_role",
        CONFIG,
        "s/http-request 10s/http-request 90s/",
        RELOAD,
    ),
    Fault(
        "HAProxy still runs with another configuration",
        f"{EDGE}test_haproxy_runs_with_that_configuration",
        apply=f"keep {CONFIG}; sed -i 's/description .*/description other/' {CONFIG}; {RELOAD};"
        f" sleep 2; give_back {CONFIG}",
        undo=f"give_back {CONFIG}; {RELOAD}",
        edge=True,
    ),
    dataclasses.replace(
        rewritten(
            "after a restart the port would lead to nobody",
            "test_the_port_leads_to_the_live_container",
            f"$STATE_DIR/{MAP}",
            "s/^live .*/live none/",
        ),
        quick=True,
    ),
    Fault(
        "everybody may tell HAProxy where to lead",
        f"{EDGE}test_whoever_may_use_docker_may_tell_haproxy",
        apply=f"chmod 666 {SOCKET}",
        undo=f"chmod 660 {SOCKET}",
        edge=True,
    ),
    rewritten(
        "HAProxy lets large bodies through",
        "test_a_body_that_is_too_large_gets_no_further",
        CONFIG,
        "/deny_status 413/d",
        RELOAD,
    ),
)

FAULTS = (
    *EDGE_FAULTS,
    *HOST_FAULTS,
    *PORT_FAULTS,
    *CONTAINER_FAULTS,
    *IMAGE_FAULTS,
    *GUARD_FAULTS,
    *ENDPOINT_FAULTS,
)
