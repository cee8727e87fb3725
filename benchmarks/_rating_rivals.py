"""Rivals of FlatMatrixFactorization on ratings: seconds of their fits, and their predictions.

A rival takes the training part, the pairs to predict, the range of ratings and one number of
components. Packages are imported when they are used, so those that are missing can be left out.
"""

import time

import numpy as np


def surprise(name, X, y, X_test, clip, **params):
    """One of Surprise's factorizations at its own learning rates and penalties."""
    import pandas as pd
    from surprise import Dataset, Reader, prediction_algorithms

    frame = pd.DataFrame({"user": X[:, 0], "item": X[:, 1], "rating": y})
    train = Dataset.load_from_df(frame, Reader(rating_scale=clip)).build_full_trainset()
    start = time.perf_counter()
    model = getattr(prediction_algorithms, name)(random_state=0, **params).fit(train)
    seconds = time.perf_counter() - start
    return seconds, np.array([model.predict(*pair).est for pair in X_test.tolist()])


def surprise_svd(X, y, X_test, clip, k):
    return surprise("SVD", X, y, X_test, clip, n_factors=k)


def surprise_svdpp(X, y, X_test, clip, k):
    return surprise("SVDpp", X, y, X_test, clip, n_factors=k, cache_ratings=True)


def cmfrec(X, y, X_test, clip, k):
    """cmfrec's CMF by alternating least squares at its other defaults."""
    import pandas as pd
    from cmfrec import CMF

    frame = pd.DataFrame({"UserId": X[:, 0], "ItemId": X[:, 1], "Rating": y})
    start = time.perf_counter()
    model = CMF(k=k, random_state=1, nthreads=1, verbose=False).fit(frame)
    seconds = time.perf_counter() - start
    return seconds, model.predict(X_test[:, 0], X_test[:, 1]).clip(*clip)


def myfm(X, y, X_test, clip, k, n_iter=200, burn_in=40):
    """myFM's Bayesian factorization machine on user and item, with as many sweeps as ours."""
    from myfm import MyFMGibbsRegressor
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(handle_unknown="ignore").fit(X)
    blocks = [len(categories) for categories in encoder.categories_]
    start = time.perf_counter()
    model = MyFMGibbsRegressor(rank=k, random_seed=0).fit(
        encoder.transform(X), y, n_iter=n_iter, n_kept_samples=n_iter - burn_in, group_shapes=blocks
    )
    seconds = time.perf_counter() - start
    return seconds, model.predict(encoder.transform(X_test)).clip(*clip)


#: Name to function and the numbers of components that are tried on validation entries. SVD++ takes
#: minutes for a fit, so it has its default alone.
RIVALS = {
    "Surprise SVD": (surprise_svd, [20, 100]),
    "Surprise SVD++": (surprise_svdpp, [20]),
    "cmfrec": (cmfrec, [10, 20, 40]),
    "myFM": (myfm, [10, 20, 40]),
}
