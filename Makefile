# The front door: every user action is a target; bare `make` prints those for students.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# `make -j4 deploy status`: one after the other, as they are written.
.NOTPARALLEL:

# Ansible refuses to start without a UTF-8 locale; every supported system has this one.
export LC_ALL := C.UTF-8

# What a user may set: make deploy INVENTORY=… LIMIT=… APP=… PORT=…; make rollback TO=…
INVENTORY ?=
LIMIT ?=
APP ?=
PORT ?=
LOG_LINES ?= 50
ALL ?=
FOLLOW ?=
TO ?=
# V=1: what Ansible itself prints of a run, task by task.
V ?=

VENV := .venv
BIN := $(VENV)/bin
# Tools call each other by name (molecule calls ansible-config).
export PATH := $(CURDIR)/$(BIN):$(PATH)

# $(call WORD_OF,text): the text as one word of the shell, whatever it holds.
WORD_OF = '$(subst ','\'',$(1))'
# $(call OPTION,name,value): an option of a program, or nothing where there is no value.
OPTION = $(if $(2),$(1) $(call WORD_OF,$(2)))
# The full path of a file or folder that the user named. $(abspath …) would split it at its blanks.
FULL = $(if $(filter /%,$(firstword $(1))),$(1),$(CURDIR)/$(1))

# APP=https://…/app.git#branch: that branch of a git repository, cloned into a folder of its own.
ifneq ($(filter https://% ssh://% file://% git+% git@%,$(firstword $(APP))),)
override APP := $(shell tools/clone_app.py $(call WORD_OF,$(APP)))
$(if $(APP),,$(error the app was not cloned))
endif

# Refuses a value that cannot be used; every target begins with it, most by way of `setup`.
VALIDATED := INVENTORY LIMIT APP NAME FOLDER PORT LOG_LINES ALL FOLLOW TO V N S SCOPE TABLE JSON FORMAT

# What else stands on the command line may be a slip: without its INVENTORY, a deploy is to this machine.
GIVEN = $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))

# Values of FORMAT; `check` has more.
FORMATS := text json

# The words that are told to be done; those behind a target of their own belong to that one.
GOALS = $(filter-out on off CV%,$(MAKECMDGOALS))

# Who calls `make -C` sees another folder than the one where make works.
VALIDATE = @FORMATS="$(FORMATS)" CALLED_FROM=$(call WORD_OF,$(PWD)) tools/front_door $(foreach goal,$(GOALS),$(call WORD_OF,TARGET=$(goal))) $(foreach name,$(VALIDATED) $(filter-out $(VALIDATED),$(GIVEN)),$(if $($(name)),$(call WORD_OF,$(name)=$($(name)))))

# The front door has validated the numbers and ids, and that the path of APP can stand in JSON.
ANSIBLE_OPTIONS = $(call OPTION,--inventory,$(INVENTORY)) $(call OPTION,--limit,$(LIMIT)) \
	$(if $(APP),--extra-vars $(call WORD_OF,{"service_dir": "$(call FULL,$(APP))"})) \
	$(PORT:%=--extra-vars service_host_port=%) $(ARGS)
# FORMAT=json: how a playbook answers.
AS_JSON = $(if $(FORMAT),CLASSVM_FORMAT=$(FORMAT))
# Ansible prints the name of a task when it begins only where it shows skipped hosts, too.
OWN_OUTPUT = $(if $(V),ANSIBLE_STDOUT_CALLBACK=default ANSIBLE_DISPLAY_SKIPPED_HOSTS=true)
# For the commands that a message advises.
HANDED_ON = $(if $(INVENTORY),CLASSVM_INVENTORY=$(call WORD_OF,$(INVENTORY))) $(if $(LIMIT),CLASSVM_LIMIT=$(call WORD_OF,$(LIMIT)))
# $(call PLAY,name): the plain equivalent is `ansible-playbook ansible/NAME.yml` plus the options.
PLAY = @$(HANDED_ON) $(AS_JSON) $(OWN_OUTPUT) ansible-playbook ansible/$(1).yml $(ANSIBLE_OPTIONS)

# A section begins with ##@ and who needs it: each group has its own screen.
##@student Your app
help help-admin help-developer:
	@awk -v group=$(patsubst help-%,%,$(@:help=help-student)) 'BEGIN {FS = ":.*## "; print "For " group "s:"} \
	  /^##@/ {split(substr($$0, 4), words, " "); here = words[1]} \
	  /^[a-z0-9-]+:.*## / && here == group {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '%s\n' 'Variables: $(HELP_$(@:help=help-student))' 'More: make help-admin, make help-developer, README.md.'

HELP_help-student := APP=folder or git URL, PORT=number, V=1, ARGS="--check --diff"
HELP_help-admin := INVENTORY=file, LIMIT=host, FORMAT=json, V=1, ARGS="--check --diff"
HELP_help-developer := SCOPE=quick (a few of them), TABLE=file, ARGS="…"

help: ## show this screen

# A word that is no target.
.DEFAULT:
	@tools/front_door TARGET=$(call WORD_OF,$@)

deploy: setup ## provision where needed, release, check from outside
	$(call PLAY,deploy)

release: setup ## the student's half: image, contract, swap (not root)
	$(call PLAY,release)

check: FORMATS := text json sarif junit github
check: setup ## find mistakes in an app without deploying it
	@python tools/check.py $(call OPTION,--format,$(FORMAT)) $(if $(APP),$(call WORD_OF,$(call FULL,$(APP))))

new-app: setup ## make a small app to start from: make new-app NAME=weather
	@python tools/new_app.py $(call WORD_OF,$(NAME))

adopt: setup ## write into APP what was guessed of it
	@python tools/adopt.py $(if $(APP),$(call WORD_OF,$(call FULL,$(APP)))) $(ARGS)

explain: setup ## print the lesson behind a finding: make explain CV012
	@python tools/check.py --explain $(or $(CODE),none)
# The word behind it is no target of its own.
CODE := $(filter CV%,$(MAKECMDGOALS))
ifneq ($(CODE),)
$(CODE):
	@:
endif

# On this machine it runs before there are any tools.
doctor: $(if $(INVENTORY)$(LIMIT),setup) ## find what would stop a deploy (INVENTORY=: on its hosts)
	$(VALIDATE)
	$(if $(INVENTORY)$(LIMIT),$(call PLAY,doctor),@python3 tools/doctor.py $(PORT:%=--port %))

status: setup ## show which release is live, where, since when
	$(call PLAY,status)

logs: setup ## show the last log lines (LOG_LINES=50, ALL=1, FOLLOW=1)
	$(call PLAY,logs) --extra-vars logs_lines=$(LOG_LINES) $(if $(ALL),--extra-vars logs_all=true) \
	  $(if $(FOLLOW),--extra-vars logs_follow=true)

releases: setup ## show the history of releases and which one is live
	$(call PLAY,releases)

rollback: setup ## go back to the previous release (TO=id: to that one)
	$(call PLAY,rollback) $(TO:%=--extra-vars rollback_to=%)

start: setup ## start the service where it does not run
	$(call PLAY,start)

restart: setup ## stop the service and start it again
	$(call PLAY,restart)

stop: setup ## stop the service; `make start` starts it again
	$(call PLAY,stop)

##@student The service on its own
SERVICE = $(call WORD_OF,$(or $(APP),service))

docker-build docker-start docker-stop docker-clean docker-all:
	$(VALIDATE)
	@$(MAKE) --no-print-directory -C $(SERVICE) $@ $(PORT:%=HOST_PORT=%)

docker-build: ## build the image with Docker alone
docker-start: ## start the container
docker-stop: ## stop and remove it
docker-clean: ## remove the image, too
docker-all: ## build, then start

##@admin A class of VMs
help-admin: ## show this screen

provision: setup ## the admin's half: engine, firewall, base image (root)
	$(call PLAY,provision)

verify: setup ## check every guarantee (root, ARGS=--quick, JSON=file)
	@$(HANDED_ON) python tools/verify.py $(ANSIBLE_OPTIONS) $(if $(V),--table) $(call OPTION,--json,$(JSON))

maintenance: setup ## make maintenance on: answer 503; make maintenance off
	$(call PLAY,maintenance) --extra-vars maintenance=$(WORD)
# The word behind it is no target of its own.
WORD := $(filter on off,$(MAKECMDGOALS))
ifneq ($(WORD),)
$(WORD):
	@:
endif

reset: setup ## remove containers, images, guard and state (root)
	$(call PLAY,reset)

collection: setup ## pack roles and modules for playbooks of your own
	@python tools/collection.py build

##@admin Try it on simulated class VMs
LAB_INVENTORY := .lab/inventory.yml

lab-up: setup ## make simulated class VMs on this machine (root, N=2)
	$(call PLAY,lab-up) $(N:%=--extra-vars lab_size=%)

lab-deploy: setup ## deploy to them
	@$(MAKE) --no-print-directory deploy INVENTORY=$(LAB_INVENTORY)

lab-status: setup ## show which release is live on them
	@$(MAKE) --no-print-directory status INVENTORY=$(LAB_INVENTORY)

lab-down: setup ## remove them: containers, volumes, network, keys
	$(call PLAY,lab-down)

##@developer Set up
help-developer: ## show this screen

setup: ## make .venv with Ansible and the other tools (once)
	$(VALIDATE)
	@tools/setup $(VENV)

##@developer Locks
PIP_COMPILE = CUSTOM_COMPILE_COMMAND="make lock" pip-compile --quiet --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

# $(call NEW_LOCK,options): compile ours into the temporary file $$new. pip-compile writes the Python that ran it
# into the header, and a lock is the same for all of them.
NEW_LOCK = new=$$(mktemp) && trap 'rm -f "$$new"' EXIT && cp requirements.txt "$$new" && \
	$(PIP_COMPILE) $(1) --output-file "$$new" requirements.in && \
	sed -i 's/^\(\# .* with Python \)[0-9.]*$$/\13.11/' "$$new"

# The image of the contract check has the Python of the lab's service.
LOCK_CHECKER = $(MAKE) --no-print-directory -C service LOCK_OF=../roles/service_image/files/checker

# Before anything that takes a while.
ENGINE = @$(MAKE) --no-print-directory -C service engine

lock: setup ## compile the locks (UPGRADE=1: the newest versions)
	$(ENGINE)
# An unchanged file is not written: each new one has the next command set the tools up again.
	@$(if $(APP),,$(call NEW_LOCK,$(if $(UPGRADE),--upgrade)) && \
	{ cmp -s "$$new" requirements.txt || cp "$$new" requirements.txt; })
	@$(MAKE) --no-print-directory -C $(SERVICE) lock
	@$(if $(APP),,$(LOCK_CHECKER) lock)

lock-check: setup ## fail if a lock is not what `make lock` would write
	$(ENGINE)
	@$(call NEW_LOCK) && \
	{ diff -u requirements.txt "$$new" || { echo "requirements.txt is not current: run make lock" >&2; exit 1; }; }
	@$(MAKE) --no-print-directory -C $(SERVICE) lock-check
	@$(if $(APP),,$(LOCK_CHECKER) lock-check)

##@developer Prove
# $(call COUNT,patterns): how many files git keeps of them.
COUNT = $$(git ls-files $(1) | wc -l) files
SHELL_SCRIPTS := tools/front_door tools/setup tools/completion.bash .ci/run tests/mutation/library.sh \
	$(addprefix roles/service_image/files/kit/,lock.sh compiler.sh install.sh)
DOCKERFILES := service/Dockerfile roles/service_image/files/checker/Dockerfile

lint: setup ## check the code without running it
	@ansible-lint --offline -q && echo "ansible-lint: profile production, $(call COUNT,'ansible/*.yml' 'roles/*.yml') pass"
	@yamllint --strict . && echo "yamllint: $(call COUNT,'*.yml' '*.yaml') pass"
	@ruff check --quiet && ruff format --quiet --check && echo "ruff: $(call COUNT,'*.py') pass"
	@mypy
	@hadolint $(DOCKERFILES) && echo "hadolint: $(words $(DOCKERFILES)) files pass"
	@shellcheck $(SHELL_SCRIPTS) && echo "shellcheck: $(words $(SHELL_SCRIPTS)) files pass"
	@openapi-spec-validator service/master.yml
	@python tools/role_readmes.py --check && echo "role READMEs: $(call COUNT,'roles/*/README.md') current"

# In a process for each processor, but for those that measure how long something takes.
unit: setup ## run the fast tests (no Docker, no root)
	pytest --quiet --numprocesses auto --dist loadfile -m "not alone"
	pytest --quiet -m alone

e2e: setup ## deploy to this machine, break it, redeploy (root, SCOPE)
	pytest tests/e2e $(if $(SCOPE),--ignore-glob 'tests/e2e/test_guide_*')

scenario: setup ## run one of Molecule's scenarios (S=default)
	molecule test --scenario-name $(or $(S),default)

mutation: setup ## break each guarantee; its check has to notice (SCOPE)
	HARM=mutation SCOPE=$(SCOPE) molecule test --scenario-name harm

faults: setup ## harm VMs under load, print what clients saw (SCOPE)
	HARM=faults SCOPE=$(SCOPE) TABLE=$(if $(TABLE),$(call WORD_OF,$(call FULL,$(TABLE)))) molecule test --scenario-name harm

# On the same VMs: making them takes minutes.
harm: setup ## run mutation and faults on the same VMs (SCOPE)
	SCOPE=$(SCOPE) molecule test --scenario-name harm

apps: setup ## deploy apps of many kinds, call them (root, SCOPE, FOLDER)
	@python tools/apps.py $(if $(FOLDER),$(call WORD_OF,$(call FULL,$(FOLDER)))) $(call OPTION,--scope,$(SCOPE)) \
	  $(if $(TABLE),--table $(call WORD_OF,$(call FULL,$(TABLE)))) \
	  $(call OPTION,--inventory,$(INVENTORY)) $(call OPTION,--limit,$(LIMIT)) $(ARGS)

pages: setup ## look at the pages in a real browser, with axe (TABLE)
	TABLE=$(if $(TABLE),$(call WORD_OF,$(call FULL,$(TABLE)))) pytest tests/pages

# What each change has to pass, and all there is. Each stage is a target with its variables.
TEST_STAGES := lint unit pages "e2e SCOPE=quick" "apps SCOPE=quick" "scenario S=default" "scenario S=firewall" "harm SCOPE=quick" lock-check
ALL_STAGES := lint unit pages e2e apps "scenario S=default" "scenario S=firewall" "scenario S=alternative" \
	"scenario S=students" "scenario S=switch" "scenario S=jammy" "scenario S=systems" "scenario S=vm" harm lock-check

test: setup ## run what every change has to pass
	@python tools/stages.py $(TEST_STAGES)

test-all: setup ## run the same with every scenario
	@python tools/stages.py $(ALL_STAGES)

bench: setup ## measure a deploy, a rollback and the service (LIMIT)
	@python tools/bench.py $(call OPTION,--inventory,$(INVENTORY)) $(call OPTION,--host,$(LIMIT)) \
		$(if $(TABLE),--table $(call WORD_OF,$(call FULL,$(TABLE)))) $(ARGS)

transcripts: setup ## record what runs print, on simulated VMs (root)
	@python tools/transcripts.py $(ARGS)

.PHONY: help help-admin help-developer doctor check new-app adopt explain setup deploy provision release status logs releases rollback start restart stop \
	maintenance reset \
	lab-up lab-deploy lab-status lab-down \
	docker-build docker-start docker-stop docker-clean docker-all \
	lock lock-check collection lint unit e2e verify scenario mutation faults harm apps pages test test-all bench transcripts
