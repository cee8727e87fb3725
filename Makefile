# Every target sets up what it needs in a virtual environment of its own.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= digits
# A folder with fashion_mnist.npz for the benchmarks; without it they download from OpenML.
BENCH_DATA ?=

.PHONY: demo test test-slow test-docs test-fuzz test-lowest lint docs bench clean

demo: $(VENV)/.ready
	$(BIN)/python examples/demo.py --data $(DATA)

# One process a core, and one thread of the BLAS in each.
test: $(VENV)/.ready
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

test-slow: $(VENV)/.ready
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m slow

# The code blocks, links and docstrings of the documentation.
test-docs: $(VENV)-docs/.ready
	OPENBLAS_NUM_THREADS=1 $(VENV)-docs/bin/python -m pytest -n auto -m docs tests/docs

# Nothing is fetched. The pages are in docs/_build/html, and every warning is an error.
docs: $(VENV)-docs/.ready
	OPENBLAS_NUM_THREADS=1 $(VENV)-docs/bin/python -m sphinx -W --keep-going -b html \
		docs docs/_build/html

# So many cases of hostile data and parameters.
N ?= 10000
test-fuzz: $(VENV)/.ready
	OPENBLAS_NUM_THREADS=1 FUZZ_EXAMPLES=$(N) $(BIN)/python -m pytest -n auto tests/test_fuzz.py

# The lowest versions of what skflat needs. scikit-learn 1.7 calls what SciPy 1.16 deprecates, and
# its check of negative input subtracts a mean in place from whole numbers, which NumPy refuses.
test-lowest: $(VENV)-lowest/.ready
	OPENBLAS_NUM_THREADS=1 $(VENV)-lowest/bin/python -m pytest -n auto \
		-W "ignore:scipy.optimize:DeprecationWarning" -k "not check_positive_only_tag_during_fit"

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The peers of the benchmarks (a CPU build of PyTorch) are heavy, so they stay out of $(VENV).
bench: $(VENV)/.bench
	$(VENV)-bench/bin/python benchmarks/training.py
	$(VENV)-bench/bin/python benchmarks/steps.py
	$(VENV)-bench/bin/python benchmarks/own_models.py
	$(VENV)-bench/bin/python benchmarks/sharpness.py
	$(VENV)-bench/bin/python -W ignore benchmarks/measures.py $(if $(BENCH_DATA),--data $(BENCH_DATA))
	$(VENV)-bench/bin/python benchmarks/weakness_speed.py $(if $(BENCH_DATA),--data $(BENCH_DATA))
	$(VENV)-bench/bin/python benchmarks/imputation.py
	$(VENV)-bench/bin/python benchmarks/overhead.py $(if $(BENCH_DATA),--data $(BENCH_DATA))

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@

$(VENV)-lowest/.ready: pyproject.toml tests/lowest.txt
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --editable ".[test]" --constraint tests/lowest.txt
	touch $@

$(VENV)-docs/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip install --quiet --editable ".[docs,test]"
	touch $@

$(VENV)/.bench: pyproject.toml
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet torch==2.13.0 \
		einops einconv opt-einsum tqdm linear-operator
	$(VENV)-bench/bin/python -m pip install --quiet implicit==0.7.3 \
		scikit-surprise==1.1.5 cmfrec==3.5.1.post14 myfm==0.4.0
	# Without what they depend on: torchvision, which they do not need here, asks for another torch.
	$(VENV)-bench/bin/python -m pip install --quiet --no-deps \
		PyHessian==0.1 curvlinops-for-pytorch==3.0.1 backpack-for-pytorch==1.7.1
	$(VENV)-bench/bin/python -m pip install --quiet --editable ".[plot]"
	mkdir -p $(VENV)
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-bench $(VENV)-docs $(VENV)-lowest results
	rm -rf docs/_build docs/api docs/gallery
