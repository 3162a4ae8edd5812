# Two commands matter: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
COMPILE_PLAIN = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header
COMPILE = $(COMPILE_PLAIN) --extra embedded

PROMTOOL_PACKAGE := github.com/prometheus/prometheus/cmd/promtool

.PHONY: demo test check docs chaos chaos-kills chaos-sinks chaos-rolling promtool sdks simulate mutants fuzz bench requirements clean

demo: .venv/runtime
	$(BIN)/tocsin demo

# Two processes more than two cores, as chaos tests mostly wait. Who goes where: tests/sharing.py.
test: .venv/dev .venv/browser .venv/openid .venv/kcat .venv/axe .venv/classes
	$(BIN)/python -m pytest -n 4

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A site of all documents, in .tocsin/site; a broken link or anchor fails. References are made anew.
docs: .venv/dev
	$(BIN)/python -m tests.documentation
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "Open .tocsin/site/index.html"

chaos: .venv/dev
	$(BIN)/python -m pytest -m chaos tests/chaos tests/bench

# Half an hour of SIGTERM, SIGINT and SIGKILL to six roles; KILL_MINUTES=5 is shorter.
chaos-kills: export KILL_MINUTES ?= 30
chaos-kills: .venv/dev
	$(BIN)/python -m pytest -m chaos tests/chaos/test_kills.py -k mix_of_signals

chaos-sinks: .venv/dev
	$(BIN)/python -m pytest -m chaos tests/chaos/test_sinks.py tests/chaos/test_priority.py

# Each worker is replaced after the other while critical events flow; on a machine of its own.
chaos-rolling: .venv/dev
	$(BIN)/python -m pytest -m chaos tests/chaos/test_rolling.py

# When each alert fires, by Prometheus' own tool. Without a promtool, Go builds one in ten minutes.
promtool: .venv/dev .tocsin/promtool/promtool
	PROMTOOL=$$(command -v promtool || echo $(CURDIR)/.tocsin/promtool/promtool) \
		$(BIN)/python -m pytest tests/pipeline/monitoring/test_promtool.py

.tocsin/promtool/promtool:
	@command -v promtool >/dev/null || (mkdir -p $(@D) && cd $(@D) \
		&& printf '//go:build tools\npackage tools\nimport _ "%s"\n' $(PROMTOOL_PACKAGE) > tools.go \
		&& (test -f go.mod || go mod init tools) && export GOFLAGS=-mod=mod \
		&& go get $(PROMTOOL_PACKAGE)@v0.308.0 && go build -o promtool $(PROMTOOL_PACKAGE))

# The providers' own SDKs for Node against our simulators; skipped, with a word, where npm is missing.
sdks: export NODE_SDKS = $(CURDIR)/.tocsin/sdks
sdks: .venv/dev .tocsin/sdks/node_modules/.package-lock.json
	$(BIN)/python -m pytest -rs tests/sdks

.tocsin/sdks/node_modules/.package-lock.json: tests/sdks/package-lock.json
	@mkdir -p .tocsin/sdks && cp tests/sdks/package*.json .tocsin/sdks
	@command -v npm >/dev/null || echo "There is no npm to install the SDKs with."
	@! command -v npm >/dev/null || npm ci --prefix .tocsin/sdks --ignore-scripts --loglevel error --no-audit --no-fund

simulate: .venv/dev
	SIMULATION_SEEDS=10000 $(BIN)/python -m pytest --hypothesis-profile=default tests/simulation tests/policy

# MUTANTS="--package policy --sample 50" tries fewer; python -m tests.mutation --help has the rest.
mutants: .venv/dev
	$(BIN)/python -m tests.mutation $(MUTANTS)

# Ten minutes of records that no producer would write; FUZZ="--seconds 60" is shorter.
fuzz: .venv/dev
	FUZZ_EXAMPLES=5000 $(BIN)/python -m pytest tests/fuzz
	$(BIN)/python -m tests.fuzz $(FUZZ)

bench: .venv/dev
	$(BIN)/python -m bench decide
	$(BIN)/python -m bench restore
	$(BIN)/python -m bench timers
	$(BIN)/python -m bench sinks
	$(BIN)/python -m bench poison
	$(BIN)/python -m bench gateway
	$(BIN)/python -m bench analytics
	$(BIN)/python -m bench questions
	$(BIN)/python -m bench end_to_end
	$(BIN)/python -m bench soak

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tocsin needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/runtime: .venv/bin/python requirements.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/dev: .venv/runtime requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Pages are tested in a real Chromium, Debian's. Without root their tests are skipped, and say so.
.venv/browser: .venv/dev
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null \
		|| (export DEBIAN_FRONTEND=noninteractive; apt-get update -qq \
			&& apt-get install -qq --no-install-recommends chromium chromium-driver) >/dev/null \
		|| echo "Chromium can't be installed here: install chromium and chromium-driver to test pages."
	@touch $@

# The OpenID provider of npm with which logging in is tested; without npm these tests are skipped.
.venv/openid: .venv/dev tests/web/login/package-lock.json
	@mkdir -p $@ && cp tests/web/login/package*.json $@ && (command -v npm >/dev/null \
		&& npm ci --prefix $@ --silent --no-audit --no-fund) \
		|| echo "npm's oidc-provider can't be installed here, so logging in is not tested."
	@touch $@

# A producer as shells have it, Debian's. Without root its test is skipped, and says so.
.venv/kcat: .venv/dev
	@command -v kcat >/dev/null || (export DEBIAN_FRONTEND=noninteractive; apt-get update -qq \
		&& apt-get install -qq --no-install-recommends kcat) >/dev/null \
		|| echo "kcat can't be installed here, so what it writes is not tested."
	@touch $@

# The rules of npm's axe-core, by which pages are tested for accessibility; without npm these are skipped.
.venv/axe: .venv/dev tests/web/pages/package-lock.json
	@mkdir -p $@ && cp tests/web/pages/package*.json $@ && (command -v npm >/dev/null \
		&& npm ci --prefix $@ --ignore-scripts --silent --no-audit --no-fund) \
		|| echo "npm's axe-core can't be installed here, so pages are not tested for accessibility."
	@touch $@

# Each of some fifty starts of Kafka then takes half of the processor time; without it, all of it.
.venv/classes: .venv/dev
	@$(BIN)/python -m embedded.class_archive && touch $@ || true

# Pins for every Python and platform, with hashes and without the name of any index; those of the
# image lack what `tocsin up` embeds.
requirements: .venv/dev
	$(COMPILE) --extra bench --extra dev pyproject.toml requirements-build.in -o requirements-dev.txt
	$(COMPILE) -c requirements-dev.txt pyproject.toml requirements-build.in -o requirements.txt
	$(COMPILE_PLAIN) -c requirements.txt pyproject.toml requirements-build.in -o requirements-image.txt

clean:
	rm -rf .venv .tocsin
