# Each recipe is a plain command, which README.md shows for people without make.

PYTHON ?= python3
PORT ?= 8000
LEVEL ?= 1
SUBMISSIONS ?= submissions
OUT ?= grades

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub("%", "N", $$1); printf "  make %-10s %s\n", $$1, $$2 }' Makefile

list: .venv/requirements.txt ## list the lessons
	@.venv/bin/python lessons list

lesson-%: .venv/requirements.txt ## serve lesson N until Ctrl-C (PORT=8001 for another port than 8000)
	@.venv/bin/python lessons serve $* --port $(PORT)

diff-%: .venv/requirements.txt ## show what lesson N changes in the lesson before it
	@.venv/bin/python lessons diff $*

start-%: .venv/requirements-test.txt ## begin exercise N, in the answer.py of its lesson
	@.venv/bin/python lessons start $*

check-%: .venv/requirements-test.txt ## check your answer to exercise N
	@.venv/bin/python lessons check $* || true

watch-%: .venv/requirements-test.txt ## check your answer whenever you save it, until Ctrl-C
	@.venv/bin/python lessons watch $*

hint-%: .venv/requirements-test.txt ## get a hint for exercise N (LEVEL=2 and LEVEL=3 say more)
	@.venv/bin/python lessons hint $* --level $(LEVEL)

solution-%: .venv/requirements-test.txt ## see the solution, when your answer passes (PEEK=1: now)
	@.venv/bin/python lessons solution $* $(if $(PEEK),--peek)

reset-%: .venv/requirements-test.txt ## begin exercise N again, and keep the answer there was
	@.venv/bin/python lessons reset $*

progress: .venv/requirements-test.txt ## see how far each exercise is
	@.venv/bin/python lessons progress

grade: .venv/requirements-test.txt ## grade what students handed in (SUBMISSIONS=folder OUT=folder ARGS='--jobs 4')
	@.venv/bin/python tests/grading $(call quoted,$(SUBMISSIONS)) --out $(call quoted,$(OUT)) $(ARGS)

gradescope: .venv/requirements.txt ## build gradescope.zip, to upload as autograder (ARGS='1 2' for exercises 1 and 2)
	@.venv/bin/python tests/grading/package.py $(ARGS)

notebooks: .venv/requirements-notebooks.txt ## open JupyterLab on the notebooks
	@.venv/bin/jupyter lab --config notebooks/.jupyter/jupyter_lab_config.py

slides-%: .venv/requirements-notebooks.txt ## write notebook N, run, as one page of slides
	@.venv/bin/python notebooks/slides.py $*

test: .venv/requirements-test.txt .venv/requirements-notebooks.txt .venv/requirements-cluster.txt ## run every test
	@.venv/bin/python -m pytest -n auto

lint: .venv/requirements-test.txt ## check the style and the format of the code
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check

format: .venv/requirements-test.txt ## bring the code into the format that lint checks
	@.venv/bin/ruff format

bench: .venv/requirements-test.txt .venv/requirements-notebooks.txt ## measure set-up, start, check and notebooks against the bare tools, grading against others
	@.venv/bin/python tests/bench.py
	@.venv/bin/python tests/bench_grading.py

lock: ## renew the locked requirements (needs uv)
	@uv $(LOCK) pyproject.toml --output-file requirements.txt
	@uv $(LOCK) --group build --output-file requirements-build.txt
	@uv $(LOCK) --group notebooks --constraint requirements.txt --output-file requirements-notebooks.txt
	@uv $(LOCK) --group test --constraint requirements-notebooks.txt --constraint requirements.txt \
		--output-file requirements-test.txt
	@uv $(LOCK) --group cluster --constraint requirements-notebooks.txt --constraint requirements.txt \
		--constraint requirements-test.txt --output-file requirements-cluster.txt
	@uv $(LOCK) --group bench --constraint requirements.txt --output-file requirements-bench.txt
	@uv $(LOCK) --group bench-nbgrader --constraint requirements.txt --output-file requirements-bench-nbgrader.txt

clean: ## remove the environment, the databases and the caches
	@rm -rf .venv .pytest_cache .ruff_cache lessons/*/data.db notebooks/*.html

quoted = '$(subst ','\'',$(1))'
LOCK = pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--annotation-style line --custom-compile-command 'make lock'

.venv/requirements.txt: requirements.txt requirements-build.txt
	@$(PYTHON) lessons/make_venv.py

.venv/requirements-%.txt: requirements-%.txt .venv/requirements.txt
	@$(PYTHON) lessons/make_venv.py $*

.PHONY: help list progress grade gradescope notebooks test lint format bench lock clean
