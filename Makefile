# Python 3.11 or later with pip, and make; everything else is installed into .venv.
PYTHON ?= python3
PORT ?= 8000
VENV = .venv
BIN = $(VENV)/bin
PEERS = $(VENV)/with-peers
NEIGHBOURS = $(VENV)/with-neighbours
POSTGRESQL_URL ?= postgres://postgres@127.0.0.1:5432/postgres
MARIADB_URL ?= mysql://root@127.0.0.1:3306/test

.PHONY: demo serve test test-all cells neighbours adoption cluster race proxies browser picture javascript schema bench bench-check distance django-suite lint typing docs tutorial dist release clean data interpreter

demo: data
	$(BIN)/python manage.py demo

serve: $(VENV)/example
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' 2>/dev/null || \
		$(call stop,Port $(PORT) is in use. Take another one: make serve PORT=8001)
	@$(MAKE) --no-print-directory data
	$(BIN)/gunicorn --workers 4 --threads 2 --bind 127.0.0.1:$(PORT) example_project.wsgi

# Rows that are there stay, unless RESET=1 says otherwise.
data: $(VENV)/example
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py load_sample_data $(if $(RESET),--reset)
	$(BIN)/python manage.py create_demo_logins

test: $(VENV)/test
	$(BIN)/python -m pytest -n auto

# What is tried with other programs does not depend on the database.
WITHOUT_PROGRAMS = $(addprefix --ignore=tests/,proxies browser javascript)

# A database that is missing is a failure here, and not a skipped test.
test-all: $(VENV)/databases
	$(BIN)/python -m pytest -n auto
	DATABASE_URL=$(POSTGRESQL_URL) $(BIN)/python -m pytest -n auto $(WITHOUT_PROGRAMS)
	DATABASE_URL=$(MARIADB_URL) $(BIN)/python -m pytest -n auto $(WITHOUT_PROGRAMS)

# Python 3.11, 3.12 and 3.13, each with the Django and DRF of its time, on all three.
cells: $(VENV)/cells
	POSTGRESQL_URL=$(POSTGRESQL_URL) MARIADB_URL=$(MARIADB_URL) $(BIN)/tox

# Beside the other apps that docs/neighbours.md names, all in one project. Redis must answer.
neighbours: $(NEIGHBOURS)/installed
	.ci/redis
	$(NEIGHBOURS)/bin/python -m tests.neighbours
	DATABASE_URL=$(POSTGRESQL_URL) $(NEIGHBOURS)/bin/python -m tests.neighbours

# In other people's projects, as docs/adopting.md says. Their own tests run before and after.
adoption: | interpreter
	$(PYTHON) -m tests.adoption

# Past one machine: a standby that is behind, PgBouncer, and three writable nodes of Galera, started
# for the tests and stopped after them. They are not the servers of the system.
cluster:
	.ci/cluster
	@$(MAKE) --no-print-directory $(VENV)/databases
	$(BIN)/python -m tests.cluster

race: $(VENV)/databases
	$(BIN)/python -m tests.race
	DATABASE_URL=$(POSTGRESQL_URL) $(BIN)/python -m tests.race
	DATABASE_URL=$(MARIADB_URL) $(BIN)/python -m tests.race

# Real proxies, caches and clients in front of the example project. A program that
# is missing is a failure here, and not a skipped test.
proxies: $(VENV)/clients
	.ci/proxies
	PROXIES=required $(BIN)/python -m pytest tests/proxies

# Whatever the example project's OpenAPI schema allows and forbids is sent to it, and
# each answer is compared with the schema.
schema: $(VENV)/fuzz
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(BIN)/python -m tests.openapi

# Side by side with other libraries; takes a quarter of an hour. The results, as tables and
# as a picture, are in benchmarks/results.
bench: $(PEERS)/installed
	$(PEERS)/bin/python -m benchmarks compare --save .benchmarks/sqlite.json
	DATABASE_URL=$(POSTGRESQL_URL) $(PEERS)/bin/python -m benchmarks compare --save .benchmarks/postgresql.json
	$(PEERS)/bin/python -m benchmarks.publish .benchmarks/sqlite.json .benchmarks/postgresql.json \
		--folder benchmarks/results

# The short form: whether what is promised still holds.
bench-check: $(PEERS)/installed
	$(PEERS)/bin/python -m benchmarks promises
	DATABASE_URL=$(POSTGRESQL_URL) $(PEERS)/bin/python -m benchmarks promises

# How many functions of the package a request of the example goes through.
distance: $(VENV)/example
	$(BIN)/python -m benchmarks.distance

# The example's page, the browsable API, the admin and forms in Chromium, and what axe-core says of them.
browser: $(VENV)/browser
	.ci/browser
	.ci/node
	@$(MAKE) --no-print-directory npm/node_modules
	BROWSER=required $(BIN)/python -m pytest tests/browser

# The picture of the README: the example's page, with a conflict.
picture: $(VENV)/browser
	.ci/browser
	PICTURE=docs/two-editors.png BROWSER=required $(BIN)/python -m pytest tests/browser -k picture

# The client for browsers and Node.js, and the code of its documentation, against the example
# project. What npm/package.json names is installed once.
javascript: $(VENV)/test
	.ci/node
	@$(MAKE) --no-print-directory npm/node_modules
	JAVASCRIPT=required $(BIN)/python -m pytest tests/javascript

npm/node_modules: npm/package.json
	npm install --prefix npm --no-audit --no-fund
	touch $@

# Django's own tests of models, with every model a VersionedModel; DATABASE_URL chooses the database.
DJANGO_SUITE = build/django-suite
django-suite: $(DJANGO_SUITE)/installed
	$(DJANGO_SUITE)/venv/bin/python -m tests.django_suite $(DJANGO_SUITE)/django-*.tar.gz

# In an environment of their own: what differs is listed for one version of Django.
$(DJANGO_SUITE)/installed: setup.cfg
	$(PYTHON) -m venv --without-pip $(DJANGO_SUITE)/venv
	$(PYTHON) -m pip --python $(DJANGO_SUITE)/venv/bin/python install --quiet --editable \
		'.[django-suite]'
	rm -f $(DJANGO_SUITE)/django-*.tar.gz
	$(PYTHON) -m pip download --quiet --no-deps --no-binary :all: --dest $(DJANGO_SUITE) \
		Django==$$($(DJANGO_SUITE)/venv/bin/python -m django --version)
	touch $@

lint: $(VENV)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports setup.cfg
	$(BIN)/python manage.py makemigrations --check --dry-run

# A user's project keeps its types, in mypy with the plugin and in Pyright's strict mode.
typing: $(VENV)/typing
	$(BIN)/python -m pytest --override-ini=addopts= tests/typing

# The documentation as a site, in site/.
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# What the tutorial says, as it stands there, in an empty folder.
tutorial: $(VENV)/test
	TUTORIAL=required $(BIN)/python -m pytest tests/documentation/test_tutorial.py

# The sdist and the wheel in dist/, with their metadata and contents checked. setuptools
# would take files that are gone from the folders of an earlier build.
dist: $(VENV)/dist
	rm -rf build dist *.egg-info
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m pytest --override-ini=addopts= tests/distribution

# Builds and checks what would be published, and asks for the changelog to be signed off.
# It uploads nothing.
release:
	.ci/release

# Each kind of work installs what it needs, and once. The environment is made
# without pip, since some systems' Python cannot put it in; the system's pip
# installs into it.
define install
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --editable '.[$(1)]'
	touch $@
endef

$(BIN)/python: | interpreter
	$(PYTHON) -m venv --without-pip $(VENV)

stop = { echo '$(1)' >&2; exit 1; }
is_new = -c 'import sys; sys.exit(sys.version_info < (3, 11))'

# Said at once: pip searches for minutes for packages that support an older Python.
interpreter:
	@$(PYTHON) $(is_new) || \
		$(call stop,$(PYTHON) is not Python 3.11 or later. Name one that is: make PYTHON=python3.12 test)
	@$(PYTHON) -c 'import venv' 2>/dev/null || \
		$(call stop,$(PYTHON) has no venv. On Debian and Ubuntu: apt install python3-venv)
	@$(PYTHON) -c 'import pip' 2>/dev/null || \
		$(call stop,$(PYTHON) has no pip. On Debian and Ubuntu: apt install python3-pip)
	@test ! -e $(BIN)/python || $(BIN)/python $(is_new) || \
		$(call stop,An older Python has made $(VENV). Remove it first: rm -r $(VENV))

$(VENV)/example: $(BIN)/python setup.cfg
	$(call install,example)

$(VENV)/test: $(BIN)/python setup.cfg
	$(call install,bench$(comma)example$(comma)test$(comma)test-drf)

$(VENV)/databases: $(BIN)/python setup.cfg
	$(call install,bench$(comma)example$(comma)test$(comma)test-drf$(comma)postgresql$(comma)mariadb)

# In an environment of their own: one of them brings a package that is called "tests".
$(PEERS)/installed: setup.cfg | interpreter
	$(PYTHON) -m venv --without-pip $(PEERS)
	$(PYTHON) -m pip --python $(PEERS)/bin/python install --quiet --editable \
		'.[bench,example,peers,postgresql]'
	touch $@

# In an environment of their own: some of these apps change Django for all models.
$(NEIGHBOURS)/installed: setup.cfg | interpreter
	$(PYTHON) -m venv --without-pip $(NEIGHBOURS)
	$(PYTHON) -m pip --python $(NEIGHBOURS)/bin/python install --quiet --editable \
		'.[neighbours,postgresql,test]'
	touch $@

$(VENV)/clients: $(BIN)/python setup.cfg
	$(call install,example$(comma)test$(comma)clients)

$(VENV)/fuzz: $(BIN)/python setup.cfg
	$(call install,example$(comma)test$(comma)fuzz)

$(VENV)/browser: $(BIN)/python setup.cfg
	$(call install,example$(comma)test$(comma)browser)

$(VENV)/cells: $(BIN)/python setup.cfg
	$(call install,cells)

$(VENV)/typing: $(BIN)/python setup.cfg
	$(call install,example$(comma)test$(comma)typing)

$(VENV)/docs: $(BIN)/python setup.cfg
	$(call install,docs)

$(VENV)/dist: $(BIN)/python setup.cfg
	$(call install,example$(comma)test$(comma)dist)

$(VENV)/lint: $(BIN)/python setup.cfg
	$(call install,bench$(comma)example$(comma)test$(comma)lint)

comma = ,

clean:
	rm -rf $(VENV) npm/node_modules build dist site *.egg-info .mypy_cache .pytest_cache .ruff_cache .tox db.sqlite3*
