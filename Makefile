# Each recipe consists of plain commands. The READMEs show most of them for people without make.

PYTHON ?= python3
export EXERCISES

# `make test 1` instead of `make test-1` would run all tests of the repository
ifneq (,$(filter 0% 1% 2% 3% 4% 5% 6% 7% 8% 9%,$(MAKECMDGOALS)))
$(error Write a hyphen before the number: make $(subst $() ,-,$(strip $(MAKECMDGOALS))))
endif

help: ## print this list
	@awk -F ':.*## ' '/^## / { print "\n" substr($$0, 4) } \
		/^[a-z%-]+:.*## / { sub("%", "N", $$1); printf "  make %-14s %s\n", $$1, $$2 }' Makefile

## Learn: the lessons (lessons/README.md)

list: .venv/.installed-lessons ## list the lessons
	@.venv/bin/python lessons list

lesson-%: .venv/.installed-lessons ## serve lesson N until Ctrl-C (PORT=8001)
	@.venv/bin/python lessons serve $*$(port_option)

diff-%: .venv/.installed-lessons ## show what lesson N changes in the lesson before it
	@.venv/bin/python lessons diff $*

test-%: .venv/.installed-exercises ## run the tests of lesson N on its current files
	@.venv/bin/python lessons test $* || true

restore-%: .venv/.installed-lessons ## put the files of lesson N back as they came
	@.venv/bin/python lessons restore $*

## Learn: the exercises (lessons/README.md)

start-%: .venv/.installed-exercises ## start exercise N: copy it to answer.py
	@.venv/bin/python lessons start $*

try-%: .venv/.installed-exercises ## serve your answer to exercise N until Ctrl-C (PORT=8001)
	@.venv/bin/python lessons try $*$(port_option)

check-%: .venv/.installed-exercises ## check your answer to exercise N
	@.venv/bin/python lessons check $* || true

watch-%: .venv/.installed-exercises ## check your answer to exercise N whenever you save it
	@.venv/bin/python lessons watch $*

hint-%: .venv/.installed-exercises ## print a hint for exercise N (LEVEL=2 for more)
	@.venv/bin/python lessons hint $*$(level_option)

solution-%: .venv/.installed-exercises ## print the solution, once your answer passes (PEEK=1 prints it now)
	@.venv/bin/python lessons solution $* $(if $(filter-out 0 no,$(PEEK)),--peek)

reset-%: .venv/.installed-exercises ## start exercise N again and keep your old answer
	@.venv/bin/python lessons reset $*

progress: .venv/.installed-exercises ## show your points in every exercise
	@.venv/bin/python lessons progress

## Teach (notebooks/README.md)

rehearse: .venv/.installed-exercises .venv/.installed-notebooks ## check that this machine is ready for a class (LESSON=2)
	@.venv/bin/python notebooks/rehearse.py $(LESSON)

notebooks: .venv/.installed-exercises .venv/.installed-notebooks ## open the notebooks in JupyterLab (PORT=8888 ARGS=--no-browser)
	@.venv/bin/python notebooks/live.py$(port_option) $(ARGS)

notebook-%: .venv/.installed-exercises .venv/.installed-notebooks ## open JupyterLab with notebook N (the same options)
	@.venv/bin/python notebooks/live.py $*$(port_option) $(ARGS)

slides-%: .venv/.installed-exercises .venv/.installed-notebooks ## run notebook N and write it as slides in slides/
	@.venv/bin/python notebooks/slides.py $* $(ARGS)

slides: .venv/.installed-exercises .venv/.installed-notebooks ## run all notebooks and write them as slides in slides/
	@.venv/bin/python notebooks/slides.py $(ARGS)

site: .venv/.installed-exercises ## write the playground as a static site in site/, with Python in the browser
	@.venv/bin/python lessons/playground/site/build.py $(ARGS)

student: .venv/.installed-exercises ## write the course without solutions, for your students (OUT=folder HINTS=3)
	@.venv/bin/python notebooks/student.py $(call quoted,$(or $(OUT),student))$(hints_option)

wheels: ## download what students need into wheels/, for a class without internet
	@$(PYTHON) lessons/make_venv.py wheels

## Teach: your own exercises (notebooks/README.md)

new-exercise-%: .venv/.installed-exercises ## begin another exercise for a lesson, such as 3b (NAME=pin_login)
	@.venv/bin/python tests/course/new.py exercise $* $(call quoted,$(NAME))

check-course: .venv/.installed-exercises .venv/.installed-notebooks ## list what is missing in lessons and exercises
	@.venv/bin/python tests/course/check.py $(ARGS) || true

## Grade (tests/grading/README.md)

grade: .venv/.installed-exercises ## grade a folder of submissions (SUBMISSIONS=folder OUT=folder ARGS='--exercises 1 3')
	@.venv/bin/python tests/grading $(call quoted,$(SUBMISSIONS)) --out $(call quoted,$(or $(OUT),grades)) $(ARGS)

gradescope: .venv/.installed-exercises ## build gradescope.zip, an autograder to upload (ARGS='1 3' for exercises 1 and 3)
	@.venv/bin/python tests/grading/package.py $(ARGS)

## Contribute (.github/CONTRIBUTING.md)

test: .venv/.installed-tests .venv/.installed-notebooks .venv/.installed-cluster ## run the fast tests, three or four minutes
	@.venv/bin/python -m pytest -n auto -m "not slow" $(ARGS)

test-slow: .venv/.installed-tests .venv/.installed-notebooks .venv/.installed-cluster ## run the slow tests: attacks, faults, browsers, cluster
	@.venv/bin/python -m pytest -n auto -m slow $(ARGS)

lint: .venv/.installed-tests .venv/.installed-notebooks ## check style, types and spelling, and that notebooks contain no outputs
	@.venv/bin/python -m ruff check
	@.venv/bin/python -m ruff format --check
	@.venv/bin/python -m mypy
	@.venv/bin/python -m codespell_lib
	@.venv/bin/python -m nbstripout --keep-id --extra-keys metadata.language_info --verify notebooks/*.ipynb

format: .venv/.installed-tests .venv/.installed-notebooks ## format the code and clear the notebooks' outputs
	@.venv/bin/python -m ruff check --fix
	@.venv/bin/python -m ruff format
	@.venv/bin/python -m nbstripout --keep-id --extra-keys metadata.language_info notebooks/*.ipynb

new-%: .venv/.installed-exercises ## begin lesson N (NAME=realm)
	@.venv/bin/python tests/course/new.py lesson $* $(call quoted,$(NAME))

originals: .venv/.installed-lessons ## make the lessons' current files the originals that the checks use
	@.venv/bin/python lessons/originals.py

pictures: .venv/.installed-lessons ## draw the pictures of the lessons again
	@.venv/bin/python lessons/pictures.py

screenshot: .venv/.installed-tests .venv/.installed-notebooks ## take the picture in the README again (needs Chromium)
	@PYTHONPATH=tests .venv/bin/python tests/repository/screenshot.py

bench: .venv/.installed-tests .venv/.installed-notebooks ## compare our speed with the plain tools and with other graders
	@.venv/bin/python tests/bench/bench_lessons.py
	@.venv/bin/python tests/bench/bench_grading.py

lock: ## update the locked requirements (needs uv)
	@uv $(LOCK) pyproject.toml --output-file lessons/requirements.txt
	@uv $(LOCK) --group build --output-file lessons/requirements-build.txt
	@uv $(LOCK) --group notebooks $(LESSONS) --output-file notebooks/requirements.txt
	@uv $(LOCK) --group exercises $(LESSONS) $(NOTEBOOKS) --output-file tests/exercises/requirements.txt
	@uv $(LOCK) --group tests $(LESSONS) $(NOTEBOOKS) $(CHECKS) --output-file tests/requirements.txt
	@uv $(LOCK) --group cluster $(LESSONS) $(NOTEBOOKS) $(CHECKS) --output-file tests/grading/requirements-cluster.txt
	@uv $(LOCK) --group bench $(LESSONS) --output-file tests/bench/requirements-bench.txt
	@uv $(LOCK) --group bench-nbgrader $(LESSONS) --output-file tests/bench/requirements-bench-nbgrader.txt

clean: ## delete the environment, the site, the databases, the caches, the slides and the wheels
	@rm -rf .venv site .pytest_cache .ruff_cache .mypy_cache lessons/*/data.db slides wheels

port_option = $(if $(PORT)$(port), --port $(or $(PORT),$(port)))
level_option = $(if $(LEVEL)$(level), --level $(or $(LEVEL),$(level)))
hints_option = $(if $(HINTS), --hints $(call quoted,$(HINTS)))
quoted = '$(subst ','\'',$(1))'
SUBMISSIONS ?= submissions
LOCK = pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	--annotation-style line --custom-compile-command 'make lock'
UPGRADE = --upgrade
LESSONS = --constraint lessons/requirements.txt
NOTEBOOKS = --constraint notebooks/requirements.txt
CHECKS = --constraint tests/exercises/requirements.txt

.venv/.installed-lessons: lessons/requirements.txt lessons/requirements-build.txt
	@$(PYTHON) lessons/make_venv.py

.venv/.installed-exercises: tests/exercises/requirements.txt .venv/.installed-lessons
	@$(PYTHON) lessons/make_venv.py exercises

.venv/.installed-notebooks: notebooks/requirements.txt .venv/.installed-lessons
	@$(PYTHON) lessons/make_venv.py notebooks

.venv/.installed-tests: tests/requirements.txt .venv/.installed-exercises
	@$(PYTHON) lessons/make_venv.py tests

.venv/.installed-cluster: tests/grading/requirements-cluster.txt .venv/.installed-lessons
	@$(PYTHON) lessons/make_venv.py cluster

.PHONY: help list progress rehearse notebooks slides site student wheels check-course grade gradescope test test-slow lint format originals pictures screenshot bench lock clean
