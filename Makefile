# make demo: the whole site on this machine.  make test: the tests.  Both do all the set-up on a fresh machine.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto
BENCHES ?= refresh pages ingest figures incidents hotspots accuracy live storage change forecast

.PHONY: demo test check bench lock messages clean help

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' $(MAKEFILE_LIST)

demo: $(VENV)/base  ## the site with its engines and the sample country, until Ctrl-C (PORT=, FEED=0, DATABASE_URL=, BROKER_URL=)
	@$(BIN)/python manage.py demo

test: $(VENV)/dev  ## all tests, on every core
	$(BIN)/python -m pytest -n $(WORKERS)

check: $(VENV)/dev  ## lint, format, import direction, types of the pure modules, migrations up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/bench  ## all benchmarks, one JSON object a line (BENCHES="refresh pages ...")
	@for name in $(BENCHES); do $(BIN)/python manage.py bench $$name --json || exit 1; done

lock: $(VENV)/dev  ## resolve pyproject's dependencies again, into requirements/*.txt
	for extra in base dev bench; do \
	  $(BIN)/uv pip compile pyproject.toml $$( [ $$extra = base ] || echo --extra $$extra ) \
	    $$( [ $$extra = base ] || echo -c requirements/base.txt ) $$( [ $$extra = bench ] && echo -c requirements/dev.txt ) --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
	    --upgrade -o requirements/$$extra.txt || exit 1; \
	done

messages: $(VENV)/dev  ## collect the texts of pages and code into locale/ (needs gettext's programs)
	$(BIN)/python manage.py makemessages -l es --no-location --no-wrap --no-obsolete -i .venv -i var -i benchmarks -i tests

clean:  ## remove the environment and everything in var/, the demo's data included
	rm -rf $(VENV) var .pytest_cache .ruff_cache .hypothesis

# The environment: a stamp a requirements file, made again when the file changes.
$(VENV)/pip:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; PYTHON=python3.12 chooses another")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/base $(VENV)/dev $(VENV)/bench: $(VENV)/%: requirements/%.txt $(VENV)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
