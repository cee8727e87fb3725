"""The factorization in the middle of a Pipeline."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from test_factorization import M, X, Y, matrix

from skflat import FlatMatrixFactorization

SMALL = {"n_components": 2, "random_state": 0, "measures": None, "alpha": 0.01, "rho": 0.05}


def test_rows_of_a_matrix_with_other_targets():
    whole, target = matrix(), M[:, :5].sum(axis=1)
    pipe = make_pipeline(FlatMatrixFactorization(**SMALL, input="matrix"), Ridge(1e-6))
    assert pipe.fit(whole, target).score(whole, target) > 0.99
    alone = FlatMatrixFactorization(**SMALL).fit(whole)
    assert_array_equal(pipe[:-1].transform(whole), alone.transform(whole))
    assert cross_val_score(pipe, whole, target, cv=3).mean() > 0.9
    assert len(make_pipeline(FlatMatrixFactorization(**SMALL), KMeans(2)).fit_predict(whole)) == 30


def test_the_entities_of_observations():
    model = FlatMatrixFactorization(**SMALL)
    found = model.fit_transform(X, Y)
    k, (users, items) = 2, model.factors_
    assert found.shape == (len(X), 2 * (k + 1))
    assert_array_equal(found[:, :k], users[X[:, 0]])
    assert_array_equal(found[:, k], model.row_offsets_[X[:, 0]])
    assert_array_equal(found[:, k + 1 : -1], items[X[:, 1]])
    rebuilt = (found[:, :k] * found[:, k + 1 : -1]).sum(axis=1) + found[:, k] + found[:, -1]
    assert_allclose(rebuilt + model.intercept_, model.predict(X))
    assert_array_equal(model.transform([[99, 3]])[0, : k + 1], 0)
    plain = FlatMatrixFactorization(**SMALL, fit_offsets=False).fit(X, Y)
    assert_array_equal(plain.transform(X[:1])[0, :k], plain.row_factors_[X[0, 0]])
    offsets = FlatMatrixFactorization(**SMALL).fit(X[:, :1], Y)
    assert_array_equal(offsets.transform(X[:, :1])[:, 0], offsets.offsets_[0][X[:, 0]])
    pipe = make_pipeline(FlatMatrixFactorization(**SMALL), Ridge()).fit(X, Y)
    assert pipe.predict(X).shape == Y.shape


def test_frames_come_out_if_asked_for():
    model = FlatMatrixFactorization(**SMALL).set_output(transform="pandas")
    frame = pd.DataFrame(matrix(), columns=[f"c{j}" for j in range(20)])
    found = model.fit(frame).transform(frame)
    assert list(found.columns) == [f"flatmatrixfactorization{j}" for j in range(3)]
    assert_allclose(model.inverse_transform(found), model.inverse_transform(found.to_numpy()))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_the_data_are_can_be_said():
    three = np.column_stack([X, Y])
    assert FlatMatrixFactorization(**SMALL, input="matrix").fit(three).factors_[1].shape == (3, 2)
    with pytest.raises(ValueError, match="input='entries' requires y"):
        FlatMatrixFactorization(**SMALL, input="entries").fit(matrix())
    with pytest.raises(ValueError, match="'input' parameter"):
        FlatMatrixFactorization(**SMALL, input="table").fit(matrix())
    assert hasattr(FlatMatrixFactorization(), "transform")
    assert not hasattr(FlatMatrixFactorization(**SMALL).fit(X, Y), "inverse_transform")
