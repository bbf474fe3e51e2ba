"""The mutations: each breaks one guarantee of a class VM; a check of tests/infra has to notice.

A mutation consists of shell commands that run as root on the VM, with the functions of library.sh
and the variables of mutator.py; of changed arguments of the service's `docker run`; or of
Dockerfile lines on top of the service's image, which keeps its name and labels. The commands that
undo a mutation also work when they run twice, or after a mutation that was applied only in part.

"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from classvm.base import installed
from classvm.base.edge import MAP
from classvm.image.image_labels import LABEL_DIGEST, LABEL_RELEASE
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
class Mutation:
    """One broken guarantee.

    Attributes:
        name: what is wrong, as a clause.
        owner: the check that has to be red: file and function in tests/infra, and in brackets
            what the id of its parameters has to contain.
        apply: shell commands that break the guarantee.
        undo: shell commands that restore it.
        run: changes the arguments of the service's `docker run`; None to leave them as they are.
        image: Dockerfile lines on top of the service's image.
        silent: whether every request to the service times out; then only the owner's file is run.
        quick: whether SCOPE=quick includes it.
        edge: whether it needs a host with HAProxy before the releases.
        deploy_heals: whether `make deploy` has to restore the guarantee, without anybody's help;
            then `undo` runs only where it has not.

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
    deploy_heals: bool = False


# --- Changes of `docker run` --------------------------------------------------------------------


def added(*options: str) -> Edit:
    """Add options."""
    return lambda argv: [argv[0], *options, *argv[1:]]


def without_options(*options: str) -> Edit:
    """Leave out options, each with its value."""

    def edit(argv: list[str]) -> list[str]:
        for option in options:
            at = argv.index(option)
            argv = argv[:at] + argv[at + 2 :]
        return argv

    return edit


def without_flag(flag: str) -> Edit:
    """Leave out an option that has no value."""
    return lambda argv: [argument for argument in argv if argument != flag]


def replaced(old: str, new: str) -> Edit:
    """Replace a text in every argument."""
    return lambda argv: [argument.replace(old, new) for argument in argv]


def published(mappings: Callable[[str, str], list[str]]) -> Edit:
    """Publish other ports: `mappings` is called with the port of the host and of the container."""

    def edit(argv: list[str]) -> list[str]:
        host, container = argv[argv.index("--publish") + 1].split(":")
        options = [part for one in mappings(host, container) for part in ("--publish", one)]
        return added(*options)(without_options("--publish")(argv))

    return edit


def without_label(label: str) -> Edit:
    """Leave out a label."""

    def edit(argv: list[str]) -> list[str]:
        at = next(n for n, argument in enumerate(argv) if argument.startswith(f"{label}="))
        return argv[: at - 1] + argv[at + 1 :]

    return edit


# --- Changes of the image -----------------------------------------------------------------------


def app(code: str) -> str:
    """Return Dockerfile lines that run code on the Flask application `app`."""
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
    """Return Dockerfile lines that run code on the `response` of an operation.

    The code runs after connexion's validation, which would replace an invalid answer.
    """
    return app(f"""
        @app.after_request
        def spoil(response):
            if request.path.endswith("{path}"):
                {code}
            return response
        """)


def answer_json(change: str, path: str) -> str:
    """Return Dockerfile lines that run a statement on `data`, the JSON of a response."""
    code = f"data = response.get_json(); {change}; response.set_data(json.dumps(data))"
    return answer(code, path)


def accepted(condition: str) -> str:
    """Return Dockerfile lines that turn each response that meets a condition into status 200."""
    return app(f"""
        @app.after_request
        def spoil(response):
            if {condition}:
                response.status_code = 200
            return response
        """)


PURELIB = 'import sysconfig; print(sysconfig.get_path("purelib"))'
IN_PACKAGES = f"RUN cd $(python -c '{PURELIB}') && "

# --- The mutations ------------------------------------------------------------------------------

HOST_MUTATIONS = (
    Mutation(
        "the operating system is not a supported one",
        f"{HOST}test_the_system_is_one_that_classvm_knows",
        apply="keep /etc/os-release && sed 's/24.04/23.10/' /usr/lib/os-release > $ASIDE/other"
        " && ln --force --symbolic $ASIDE/other /etc/os-release",
        undo="give_back /etc/os-release",
    ),
    Mutation(
        "the engine is stopped",
        f"{HOST}test_the_engine_runs",
        apply="systemctl stop docker.socket docker.service",
        undo="systemctl start docker.socket && restart_engine",
        deploy_heals=True,
    ),
    Mutation(
        "the state folder is closed",
        f"{HOST}test_the_state_folder_is_that_of_the_role",
        apply="chown nobody:nogroup $STATE_DIR && chmod 0700 $STATE_DIR",
        undo="chown root:docker $STATE_DIR && chmod 2775 $STATE_DIR",
        deploy_heals=True,
    ),
    Mutation(
        "everybody may change the host program",
        f"{HOST}test_the_host_program_belongs_to_root_alone",
        apply=f"chmod o+w {installed.HERE.program}",
        undo=f"chmod 0755 {installed.HERE.program}",
    ),
    Mutation(
        "the host program is another one",
        f"{HOST}test_the_host_program_answers",
        apply=f"keep {installed.HERE.program} && printf '#!/bin/sh\\n' > {installed.HERE.program}",
        undo=f"give_back {installed.HERE.program}",
        deploy_heals=True,
    ),
    Mutation(
        "the host program looks for its state elsewhere",
        f"{HOST}test_the_host_program_finds_the_service",
        apply=f"keep {installed.HERE.state} && rm {installed.HERE.state}"
        f" && ln --symbolic /nowhere {installed.HERE.state}",
        undo=f"give_back {installed.HERE.state}",
        deploy_heals=True,
    ),
    Mutation(
        "the engine does not start at boot",
        f"{HOST}test_the_engine_starts_at_boot",
        apply="systemctl disable --quiet docker.service",
        undo="systemctl enable --quiet docker.service",
    ),
    Mutation(
        "containerd is masked, so that the engine starts without it at the next boot",
        f"{HOST}test_what_the_engine_needs_starts_with_it",
        apply="systemctl mask --quiet containerd.service",
        undo="systemctl unmask --quiet containerd.service",
    ),
    Mutation(
        "live-restore is off in the running engine though the file says on",
        f"{HOST}test_the_engine_has_taken_its_settings",
        apply="change_setting live-restore false && systemctl reload docker.service && sleep 1"
        " && give_back $DAEMON_JSON",
        undo="give_back $DAEMON_JSON && systemctl reload docker.service && sleep 1",
        quick=True,
    ),
    Mutation(
        "the engine's settings were written after its start",
        f"{HOST}test_the_engine_has_started_since_its_settings_changed",
        apply="keep $DAEMON_JSON && touch $DAEMON_JSON",
        undo="give_back $DAEMON_JSON",
    ),
    Mutation(
        "containers have other IPv6 addresses than the engine's settings say",
        f"{HOST}test_a_client_of_ipv6_meets_an_app_that_listens_on_ipv4",
        apply="change_setting ipv6 true",
        undo="give_back $DAEMON_JSON",
    ),
    Mutation(
        "the engine lets containers gain privileges",
        f"{HOST}test_containers_gain_no_privileges",
        apply="change_setting no-new-privileges && restart_engine",
        undo="give_back $DAEMON_JSON && restart_engine",
    ),
    Mutation(
        "the engine does not bound logs",
        f"{HOST}test_the_engine_bounds_the_logs",
        apply="change_setting log-opts && restart_engine",
        undo="give_back $DAEMON_JSON && restart_engine",
    ),
    Mutation(
        "the log of the container may grow to 100 GB",
        f"{HOST}test_the_log_of_the_service_is_bounded",
        run=added("--log-opt", "max-size=100g"),
    ),
    Mutation(
        "the clock is an hour fast",
        f"{HOST}test_the_clock_is_right",
        # The VM shares the kernel's clock with the control node, so only login sessions get a wrong
        # time. In /etc/ld.so.preload the library would also reach sshd, whose sandbox kills it.
        apply="apt-get install --quiet=2 --no-install-recommends libfaketime > $ASIDE/apt 2>&1"
        " && keep /etc/environment && library=$(dpkg --listfiles libfaketime | grep MT.so)"
        ' && printf "LD_PRELOAD=%s\\nFAKETIME=+1h\\n" "$library" >> /etc/environment',
        undo="give_back /etc/environment",
    ),
    Mutation(
        "SSH listens on another port, too",
        f"{HOST}test_the_ssh_server_listens_nowhere_else",
        apply="systemd-run --quiet --unit mutation-sshd /usr/sbin/sshd -D -p $OTHER_PORT"
        " && sleep 0.5",
        undo="systemctl stop 'mutation-sshd.*'",
    ),
    Mutation(
        "the record of the provisioning is missing",
        DRY_RUN,
        apply="keep $STATE_DIR/provision.json && rm $STATE_DIR/provision.json",
        undo="give_back $STATE_DIR/provision.json",
    ),
)

PORT_MUTATIONS = (
    Mutation(
        "the service is published on another port",
        f"{PORTS}test_docker_port_shows_exactly_the_mapping",
        run=published(lambda host, container: [f"{int(host) + 2}:{container}"]),
    ),
    Mutation(
        "the service is published on loopback only",
        f"{PORTS}test_the_service_answers_from_outside[IPv4]",
        run=published(lambda host, container: [f"127.0.0.1:{host}:{container}"]),
        quick=True,
    ),
    Mutation(
        "the service is published over IPv4 only",
        f"{PORTS}test_the_service_answers_from_outside[IPv6]",
        run=published(lambda host, container: [f"0.0.0.0:{host}:{container}"]),
    ),
    Mutation(
        "the service is published on a second port",
        f"{PORTS}test_docker_port_shows_exactly_the_mapping",
        run=published(lambda host, container: [f"{host}:{container}", f"{container}"]),
    ),
    Mutation(
        "the service is published on the outer addresses only",
        f"{PORTS}test_the_host_listens_on_the_port_everywhere",
        run=published(
            lambda host, container: [
                f"$ADDRESS:{host}:{container}",
                f"[$ADDRESS6]:{host}:{container}",
            ]
        ),
    ),
    Mutation(
        "the container is detached from its network",
        f"{PORTS}test_docker_port_shows_exactly_the_mapping",
        apply="docker network disconnect bridge $CONTAINER",
        undo="serve_good_release",
        quick=True,
        deploy_heals=True,
    ),
    Mutation(
        "programs on the host do not reach the service",
        f"{PORTS}test_the_service_answers_on_the_host_itself",
        apply="nft add table inet mutation && nft add chain inet mutation output"
        " '{ type filter hook output priority 0; }'"
        " && nft add rule inet mutation output oif lo tcp dport $HOST_PORT reject",
        undo="echo table inet mutation\\; delete table inet mutation | nft --file -",
    ),
    Mutation(
        "the container's port is published, and open in the guard",
        f"{PORTS}test_the_container_port_is_closed_from_outside",
        run=published(lambda host, container: [f"{host}:{container}", f"{container}:{container}"]),
        apply='load_guard "s/OPEN_TCP = {/& $CONTAINER_PORT,/"',
        undo="load_guard",
    ),
    Mutation(
        "another container holds the port",
        f"{CONTAINER}test_one_container_publishes_the_port",
        apply="docker stop --timeout 1 $CONTAINER >/dev/null"
        " && docker run --detach --name $SECOND --publish $HOST_PORT:$CONTAINER_PORT $IMAGE"
        " >/dev/null",
        undo="remove $SECOND && docker start $CONTAINER >/dev/null && wait_for_service",
    ),
)

CONTAINER_MUTATIONS = (
    Mutation(
        "the container is stopped",
        f"{CONTAINER}test_exactly_one_container_serves",
        apply="docker stop --timeout 1 $CONTAINER >/dev/null",
        undo="docker start $CONTAINER >/dev/null && wait_for_service",
        quick=True,
    ),
    Mutation(
        "the service runs as root",
        f"{CONTAINER}test_the_service_runs_as_the_user_of_the_dockerfile",
        run=added("--user", "0:0"),
        quick=True,
    ),
    Mutation(
        "the service has a capability",
        f"{CONTAINER}test_the_service_has_no_capability",
        run=added("--user", "0:0", "--cap-add", "NET_RAW"),
    ),
    Mutation(
        "the service could gain a capability",
        f"{CONTAINER}test_the_service_can_gain_no_capability",
        run=added("--cap-add", "NET_RAW"),
    ),
    Mutation(
        "the service may gain privileges",
        f"{CONTAINER}test_the_service_can_gain_no_privilege",
        # Leaving the option out would change nothing: the engine's settings contain it, too.
        run=replaced("no-new-privileges", "no-new-privileges=false"),
    ),
    Mutation(
        "system calls are not filtered",
        f"{CONTAINER}test_the_system_calls_are_filtered",
        run=added("--security-opt", "seccomp=unconfined"),
    ),
    Mutation(
        "the root file system is writable",
        f"{CONTAINER}test_the_root_file_system_is_read_only",
        run=without_flag("--read-only"),
    ),
    Mutation(
        "the scratch folder runs programs",
        f"{CONTAINER}test_the_scratch_folder_is_bounded_and_runs_nothing",
        run=replaced("noexec", "exec"),
    ),
    Mutation(
        "the engine decides how many files may be open",
        f"{CONTAINER}test_the_service_may_hold_as_many_connections_as_on_any_engine",
        run=without_options("--ulimit"),
    ),
    Mutation(
        "the memory is not limited",
        f"{CONTAINER}test_the_memory_is_limited",
        run=without_options("--memory", "--memory-swap"),
        quick=True,
    ),
    Mutation(
        "the limits of the running container were changed",
        f"{CONTAINER}test_the_memory_is_limited",
        apply="docker update --memory 96m --memory-swap 96m --pids-limit 20 --restart no $CONTAINER"
        " >/dev/null",
        undo="serve_good_release",
        deploy_heals=True,
    ),
    Mutation(
        "the number of processes is not limited",
        f"{CONTAINER}test_the_number_of_processes_is_limited",
        run=without_options("--pids-limit"),
    ),
    Mutation(
        "the service does not come back after a crash",
        f"{CONTAINER}test_the_service_comes_back_after_a_crash_or_a_boot",
        run=without_options("--restart"),
    ),
    Mutation(
        "the health check fails",
        f"{CONTAINER}test_the_container_is_healthy",
        run=added(
            *("--health-cmd", "exit 1", "--health-interval", "1s", "--health-retries", "1"),
        ),
    ),
    Mutation(
        "two containers of the service run",
        f"{CONTAINER}test_exactly_one_container_serves",
        apply="docker run --detach --name $SECOND $IMAGE >/dev/null",
        undo="remove $SECOND",
    ),
    Mutation(
        "a former release is left behind",
        f"{CONTAINER}test_no_candidate_or_former_release_is_left",
        apply="docker create --name $SECOND $IMAGE >/dev/null",
        undo="remove $SECOND",
    ),
)

IMAGE_MUTATIONS = (
    Mutation(
        "the health check lies: it succeeds whatever the service says",
        f"{IMAGE}test_the_health_check_is_the_one_of_the_dockerfile",
        run=added("--health-cmd", "true"),
    ),
    Mutation(
        "another Ubuntu is inside",
        f"{IMAGE}test_the_system_inside_is_the_one_of_the_lab",
        image="RUN sed --in-place --follow-symlinks s/18.04/20.04/ /etc/os-release",
    ),
    Mutation(
        "another Python is inside",
        f"{IMAGE}test_the_python_inside_is_the_one_of_the_dockerfile",
        # The service itself still runs with the Python for which its packages were built.
        image="RUN apt-get update\n"
        "RUN apt-get install --yes --no-install-recommends python3.8-minimal libpython3.8-stdlib\n"
        "RUN sed --in-place '1s/python$/python3.7/' /opt/venv/bin/gunicorn"
        " && ln --force --symbolic /usr/bin/python3.8 /opt/venv/bin/python"
        " && ln --symbolic python3.7 /opt/venv/lib/python3.8",
    ),
    Mutation(
        "a package is installed that the lock does not have",
        f"{IMAGE}test_the_installed_packages_are_those_of_the_lock",
        image=f"{IN_PACKAGES} mkdir stowaway-1.0.dist-info && cd stowaway-1.0.dist-info"
        " && printf 'Name: stowaway\\nVersion: 1.0\\n' > METADATA && touch RECORD",
    ),
    Mutation(
        "a package is missing",
        f"{IMAGE}test_the_installed_packages_are_those_of_the_lock",
        image=f"{IN_PACKAGES} rm --recursive swagger_ui_bundle*",
    ),
    Mutation(
        "a file of a package was changed",
        f"{IMAGE}test_no_file_of_a_package_was_changed",
        image=f"{IN_PACKAGES} echo >> flask/__init__.py",
        quick=True,
    ),
    Mutation(
        "the packages' folder contains foreign code",
        f"{IMAGE}test_no_other_code_lies_among_the_packages",
        image=f"{IN_PACKAGES} touch stowaway.py",
    ),
    Mutation(
        "software can be compiled inside",
        f"{IMAGE}test_nothing_inside_compiles_software",
        image="RUN apt-get update\nRUN apt-get install --yes --no-install-recommends make",
    ),
    Mutation(
        "software can be installed inside",
        f"{IMAGE}test_nothing_inside_installs_software",
        image="RUN apt-get update\n"
        f"{IN_PACKAGES} apt-get download python-pip-whl && dpkg --extract python-pip-whl*.deb /tmp"
        " && rm *.deb && python -m zipfile -e /tmp/usr/share/python-wheels/pip-*.whl .",
    ),
    Mutation(
        "a program inside runs as root for every user",
        f"{IMAGE}test_nothing_inside_runs_with_more_rights_than_its_user",
        image="RUN chmod u+s /bin/cat",
    ),
    Mutation(
        "the container bears another release",
        f"{IMAGE}test_the_container_bears_the_desired_release",
        # Without the option the container would inherit the image's label.
        run=replaced(f"{LABEL_RELEASE}=", f"{LABEL_RELEASE}=x"),
    ),
    Mutation(
        "the image lacks a label",
        f"{IMAGE}test_the_image_bears_the_labels_of_its_release",
        image=f'LABEL {LABEL_DIGEST}=""',
    ),
    Mutation(
        "the container was started with other settings",
        f"{IMAGE}test_the_container_was_started_with_the_settings_of_the_host",
        run=without_label(LABEL_SETTINGS),
    ),
    Mutation(
        "the image's name refers to a newer image than the container runs",
        f"{IMAGE}test_the_container_runs_the_image_that_its_name_means",
        apply="echo RUN touch /newer | replace_image $IMAGE",
        undo="bring_back_image $IMAGE",
    ),
    Mutation(
        "unused images are pruned, the base image too",
        f"{IMAGE}test_the_image_stands_on_the_base_image",
        apply="docker save $BASE > $ASIDE/base.tar && docker system prune --all --force >/dev/null",
        undo="docker load --quiet --input $ASIDE/base.tar >/dev/null",
        deploy_heals=True,
    ),
    Mutation(
        "the image stands on another base",
        f"{IMAGE}test_the_image_stands_on_the_base_image",
        apply="echo RUN touch /other | replace_image $BASE",
        undo="bring_back_image $BASE",
    ),
    Mutation(
        "one byte of a source file differs under the right name",
        f"{IMAGE}test_the_files_of_the_service_are_those_of_its_release",
        image="RUN echo >> src/hello.py",
        quick=True,
    ),
    Mutation(
        "a source file is missing",
        f"{IMAGE}test_the_files_of_the_service_are_those_of_its_release",
        image="RUN rm src/__init__.py",
    ),
    Mutation(
        "the service's folder contains a foreign file",
        f"{IMAGE}test_no_other_file_lies_among_those_of_the_service",
        image="RUN touch src/stowaway.py",
    ),
)

GUARD_MUTATIONS = (
    Mutation(
        "the guard is flushed",
        KERNEL,
        apply="nft flush table inet $TABLE",
        undo="load_guard",
        quick=True,
        deploy_heals=True,
    ),
    Mutation(
        "a rule was inserted into the guard by hand",
        KERNEL,
        apply="nft insert rule inet $TABLE inbound tcp dport $CANARY_PORT accept",
        undo="load_guard",
        deploy_heals=True,
    ),
    Mutation(
        "the guard is gone, and a canary is reachable",
        f"{LOOK}[control node]",
        apply="nft delete table inet $TABLE && start_canary",
        undo="remove $CANARY && load_guard",
    ),
    Mutation(
        "the guard opens a range",
        f"{LOOK}[neighbour]",
        apply="load_guard 's/dport $OPEN_TCP/dport 1-65535/'",
        undo="load_guard",
    ),
    Mutation(
        "the guard lets a neighbour pass",
        f"{LOOK}[neighbour]",
        apply='load_guard "s/iif .lo. accept/&; ip saddr { $NEIGHBOURS } accept/"',
        undo="load_guard",
        quick=True,
    ),
    Mutation(
        "the guard forgets IPv6",
        f"{LOOK}[IPv6]",
        apply="nft delete table inet $TABLE"
        " && sed 's/table inet/table ip/; /icmpv6/d; /sport 547/d' $RULES | nft --file -",
        # `table` creates the table where it is missing, so that `delete` succeeds.
        undo="echo table ip $TABLE\\; delete table ip $TABLE | nft --file - && load_guard",
        quick=True,
    ),
    Mutation(
        "the guard filters after the engine's DNAT, and a canary is reachable",
        f"{LOOK}[neighbour]",
        apply="load_guard 's/hook prerouting priority mangle/hook input priority filter/'"
        " && start_canary",
        undo="remove $CANARY && load_guard",
    ),
    Mutation(
        "the guard opens a canary's port",
        f"{LOOK}[control node]",
        apply='start_canary && load_guard "s/OPEN_TCP = {/& $CANARY_PORT,/"',
        undo="remove $CANARY && load_guard",
    ),
    Mutation(
        "the guard rejects instead of dropping",
        LOOK,
        apply="load_guard 's/counter drop/counter reject with tcp reset/'",
        undo="load_guard",
    ),
    Mutation(
        "the guard closes the service's port",
        LOOK,
        apply="load_guard 's/dport $OPEN_TCP/dport 1/'",
        undo="load_guard",
        silent=True,
    ),
    Mutation(
        "the guard's file differs, for the next boot",
        f"{GUARD}test_the_guard_on_disk_is_that_of_the_role",
        apply="keep $RULES && sed --in-place 's/counter drop/counter accept/' $RULES",
        undo="give_back $RULES",
    ),
    Mutation(
        "the guard's file is missing",
        f"{GUARD}test_the_guard_on_disk_is_that_of_the_role",
        apply="keep $RULES && rm $RULES",
        undo="give_back $RULES",
    ),
    Mutation(
        "the guard does not start at boot",
        f"{GUARD}test_the_guard_starts_at_boot",
        apply="systemctl disable --quiet $UNIT",
        undo="systemctl enable --quiet $UNIT",
        quick=True,
        deploy_heals=True,
    ),
    Mutation(
        "the guard's unit starts it too late",
        f"{GUARD}test_the_units_of_the_guard_are_those_of_the_role",
        apply="keep $UNIT_FILE && sed --in-place s/network-pre.target/multi-user.target/ $UNIT_FILE"
        " && systemctl daemon-reload",
        undo="give_back $UNIT_FILE && systemctl daemon-reload",
    ),
    Mutation(
        "the guard does not come back with nftables",
        f"{GUARD}test_the_guard_comes_back_with_nftables",
        apply="keep $DROP_IN && rm $DROP_IN && systemctl daemon-reload && give_back $DROP_IN",
        undo="give_back $DROP_IN && systemctl daemon-reload",
    ),
)

ENDPOINT_MUTATIONS = (
    Mutation(
        "an endpoint answers a wrong type",
        ANSWERS,
        image=answer("response.set_data(json.dumps({'message': 5}))"),
        quick=True,
    ),
    Mutation(
        "an endpoint answers a wrong status",
        ANSWERS,
        image=answer("response.status_code = 202"),
    ),
    Mutation(
        "an endpoint answers a wrong media type",
        ANSWERS,
        image=answer("response.mimetype = 'text/html'"),
    ),
    Mutation(
        "an endpoint answers an extra field",
        f"{ENDPOINTS}test_an_operation_answers_no_undeclared_field[src.hello.get]",
        image=answer_json("data['extra'] = 1", "/hello"),
    ),
    Mutation(
        "an endpoint answers slowly",
        f"{ENDPOINTS}test_an_operation_answers_quickly[src.hello.get]",
        image=answer("time.sleep(2.5)"),
    ),
    Mutation(
        "an operation is missing",
        ANSWERS,
        image="RUN sed --in-place 's,^  /hello:,  /hallo:,' master.yml",
    ),
    Mutation(
        "an operation accepts wrong values",
        f"{ENDPOINTS}test_an_operation_refuses_wrong_values",
        image=accepted("response.status_code == 400 and not request.is_json"),
    ),
    Mutation(
        "a request may have an undeclared field",
        f"{ENDPOINTS}test_an_undeclared_field_of_a_request_is_refused",
        image=accepted("response.status_code == 400 and request.is_json"),
    ),
    Mutation(
        "an undeclared method is accepted",
        f"{ENDPOINTS}test_an_undeclared_method_is_refused",
        image=accepted("response.status_code == 405"),
    ),
    Mutation(
        "an unknown path is answered",
        f"{ENDPOINTS}test_an_unknown_path_is_not_found",
        image=accepted("response.status_code == 404"),
    ),
    Mutation(
        "the service hides one of its operations",
        f"{ENDPOINTS}test_the_service_describes_the_operations_of_the_contract",
        image=answer_json("data['endpoints'].pop()", "/describe"),
    ),
    Mutation(
        "the health endpoint names another model",
        f"{ENDPOINTS}test_the_health_endpoint_names_the_model_of_the_tree",
        image=answer_json("data['model_version'] = 'x' + data['model_version'][1:]", "/health"),
    ),
    Mutation(
        "the health endpoint reports a wrong uptime",
        f"{ENDPOINTS}test_the_uptime_is_that_of_the_container",
        image=answer_json("data['uptime_seconds'] += 1000", "/health"),
    ),
    Mutation(
        "the health check lies: it succeeds though the service is not ready",
        f"{ENDPOINTS}test_the_health_check_and_the_health_endpoint_agree",
        image="RUN rm data/model.json && echo > healthcheck.py",
    ),
)

EDGE = "test_edge.py::"
CONFIG = str(Files().config)
RELOAD = "systemctl reload haproxy"


def rewritten(name: str, owner: str, path: str, change: str, more: str = ":") -> Mutation:
    """Return a mutation that changes a file of the edge by a sed expression."""
    return Mutation(
        name,
        f"{EDGE}{owner}",
        apply=f"keep {path}; sed -i '{change}' {path}; {more}",
        undo=f"give_back {path}; {more}",
        edge=True,
    )


EDGE_MUTATIONS = (
    Mutation(
        "HAProxy is stopped",
        f"{EDGE}test_haproxy_runs_and_starts_at_boot",
        apply="systemctl stop haproxy",
        undo="systemctl start haproxy",
        quick=True,
        edge=True,
        deploy_heals=True,
    ),
    Mutation(
        "HAProxy does not start at boot",
        f"{EDGE}test_haproxy_runs_and_starts_at_boot",
        apply="systemctl disable --quiet haproxy",
        undo="systemctl enable --quiet haproxy",
        edge=True,
    ),
    rewritten(
        "HAProxy's configuration file allows a longer request time",
        "test_the_files_of_the_edge_are_those_of_the_role",
        CONFIG,
        "s/http-request 10s/http-request 90s/",
        RELOAD,
    ),
    Mutation(
        "HAProxy runs with another configuration than its file has",
        f"{EDGE}test_haproxy_runs_with_that_configuration",
        apply=f"keep {CONFIG}; sed -i 's/description .*/description other/' {CONFIG}; {RELOAD};"
        f" sleep 2; give_back {CONFIG}",
        undo=f"give_back {CONFIG}; {RELOAD}",
        edge=True,
    ),
    dataclasses.replace(
        rewritten(
            "after a restart HAProxy would forward the port to no release",
            "test_the_port_leads_to_the_live_container",
            f"$STATE_DIR/{MAP}",
            "s/^live .*/live none/",
        ),
        quick=True,
        deploy_heals=True,
    ),
    Mutation(
        "every account may control HAProxy",
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
    rewritten(
        "HAProxy lets one client take all connections",
        "test_a_client_has_only_its_share_of_the_connections",
        CONFIG,
        "/sc0_conn_cur gt/d",
        RELOAD,
    ),
    rewritten(
        "HAProxy accepts HTTP/2 without TLS",
        "test_http_2_is_not_offered",
        CONFIG,
        "s/ proto h1//",
        RELOAD,
    ),
)

MUTATIONS = (
    *EDGE_MUTATIONS,
    *HOST_MUTATIONS,
    *PORT_MUTATIONS,
    *CONTAINER_MUTATIONS,
    *IMAGE_MUTATIONS,
    *GUARD_MUTATIONS,
    *ENDPOINT_MUTATIONS,
)
