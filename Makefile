# Every target works from any folder: `make -f "/some where/Makefile" up`.
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
  "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && { echo "$$p"; break; }; done)
ROOT := $(shell dirname "$(strip $(MAKEFILE_LIST))")
ARGS ?=
BOOTSTRAP = cd "$(ROOT)" && $(if $(PYTHON),"$(PYTHON)",$(error Telemetra needs Python 3.11 or 3.12; set PYTHON=/path/to/it)) infra/bootstrap.py
# Many processes start here: what one of them has compiled, the others need not.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help

.PHONY: up
up: ## Install, start everything with a demo, and say where to look (ARGS=--detach)
	@$(BOOTSTRAP) -- infra.cli up $(ARGS)

.PHONY: down
down: ## Stop everything that `make up` started
	@$(BOOTSTRAP) -- infra.cli down

.PHONY: status
status: ## Show what runs (ARGS=--json)
	@$(BOOTSTRAP) -- infra.cli status $(ARGS)

.PHONY: doctor
doctor: ## Check this machine and the installation, and say what to mend
	@$(BOOTSTRAP) -- infra.cli doctor

.PHONY: test
test: ## Run every test against real services (ARGS='-k name')
	@$(BOOTSTRAP) --dev -- pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-fast
test-fast: ## Run the tests that need no services
	@$(BOOTSTRAP) --dev -- pytest tests/unit tests/tidy $(ARGS)

.PHONY: fuzz
fuzz: ## Attack every route and reader with made-up input, for minutes (ARGS='--fuzz-examples 500')
	@$(BOOTSTRAP) --dev -- pytest tests/contract/test_schema.py --timeout 3600 --fuzz-examples 200 $(ARGS)
	@$(BOOTSTRAP) --dev -- pytest -m hypothesis --hypothesis-profile searching --timeout 3600

.PHONY: clients
clients: ## Make the typed clients of the API in build/clients
	@$(BOOTSTRAP) --dev -- infra.clients

.PHONY: lint
lint: ## Check style, types, imports and the page
	@$(BOOTSTRAP) --dev -- infra.lint

.PHONY: fmt
fmt: ## Format the code
	@$(BOOTSTRAP) --dev -- infra.lint --fix

.PHONY: bench
bench: ## Measure ours beside its peers in one run (ARGS=--quick; docs/performance.md)
	@$(BOOTSTRAP) --bench -- loadtest.bench $(ARGS)

.PHONY: load
load: ## Load what runs, and judge (SCENARIO=senders|readers|watchers|all, USERS= RATE= TIME= URL= API_KEY=)
	@$(BOOTSTRAP) --dev -- loadtest.load $(if $(SCENARIO),"$(SCENARIO)") $(if $(USERS),--users "$(USERS)") \
	  $(if $(RATE),--rate "$(RATE)") $(if $(TIME),--time "$(TIME)") $(if $(URL),--url "$(URL)") $(ARGS)

.PHONY: docs
docs: ## Write the pages that come from the code
	@$(BOOTSTRAP) -- infra.settings_pages

.PHONY: dashboards
dashboards: ## Write the dashboards and rules of Grafana (ARGS='--page https://… --to FOLDER')
	@$(BOOTSTRAP) --dev -- dashboards.grafana $(ARGS)

.PHONY: pictures
pictures: ## Take pictures of every view of what runs, for the docs (ARGS='--url URL --view NAME')
	@$(BOOTSTRAP) --dev -- dashboards.pictures $(ARGS)

.PHONY: lock
lock: ## Resolve the lock files again after a change of dependencies
	@$(BOOTSTRAP) --dev -- infra.lock $(ARGS)

.PHONY: clean
clean: ## Remove what was built; the data folder stays
	@cd "$(ROOT)" && rm -rf .venv dashboards/live/node_modules dashboards/live/dist .mypy_cache .ruff_cache .pytest_cache

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' "$(ROOT)/Makefile" | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
