"""
Recommending films
==================

People rate a few films each. A factorization gives every user and every film a short vector, so
that the product of both is what the user would think of the film. It has far more parameters than
ratings for most users, so what is predicted elsewhere depends on *which* of all good fits is found.
The default solver takes the one with the smallest expected loss under weight noise of size `rho`.

The ratings are drawn from a model that we know: every film has a flavour, every user a taste. So at
the end we can look up what the users would really have liked.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split

from skflat import FlatMatrixFactorization

# %%
# Eighty films and four hundred users
# -----------------------------------
# A user has rated about a fifth of the films, and the more popular ones more often. Ratings are
# from half a star to five, with noise.

TITLES = {
    "space": ("Orbit of", "The Last Signal from", "Return to", "Colony on"),
    "romance": ("A Letter to", "Summer with", "Waiting for", "Dinner with"),
    "crime": ("The Clerk of", "No Alibi for", "Midnight in", "The Ledger of"),
    "comedy": ("Two Goats and", "Oh No,", "My Uncle from", "Nobody Told"),
}
NAMES = ("Vega", "Marlow", "Inez", "Kestrel", "Tobias")
GENRES = list(TITLES)

rng = np.random.default_rng(0)
films = [f"{start} {name}" for starts in TITLES.values() for start in starts for name in NAMES]
genre = np.repeat(np.arange(len(GENRES)), len(films) // len(GENRES))
users = [f"user {k:03d}" for k in range(400)]

flavour = 0.25 * rng.normal(size=(len(films), 4)) + np.eye(4)[genre]
taste = 0.9 * rng.normal(size=(len(users), 4))
quality, mildness = 0.4 * rng.normal(size=len(films)), 0.3 * rng.normal(size=len(users))
liking = 3.2 + mildness[:, None] + quality + taste @ flavour.T

popularity = rng.dirichlet(np.full(len(films), 2.0)) * len(films)
seen = rng.random(liking.shape) < np.minimum(0.2 * popularity, 0.9)
noisy = liking + 0.5 * rng.normal(size=liking.shape)
stars = np.clip(np.round(2 * noisy) / 2, 0.5, 5)

pairs = [(users[u], films[f]) for u, f in np.argwhere(seen)]
ratings = stars[seen]
print(f"{len(pairs):,} ratings, {len(pairs) / len(users):.1f} for each user")
for pair, rating in zip(pairs[:3], ratings, strict=False):
    print(pair, rating)

# %%
# Choose rho
# ----------
# A row is a user and a film, so scikit-learn's searches hold out ratings. With little weight noise
# ten components fit the noise of the ratings. The noise of the ratings themselves, 0.5 stars and
# the rounding, is a floor that no model can be better than.

train, test, y_train, y_test = train_test_split(pairs, ratings, test_size=0.1, random_state=0)
model = FlatMatrixFactorization(10, alpha=0, clip=(0.5, 5), tol=1e-3, measures=None, random_state=0)
rhos = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0]
search = GridSearchCV(model, {"rho": rhos}, cv=3, scoring="neg_root_mean_squared_error")
search.fit(train, y_train)


def error(prediction):
    return np.sqrt(np.mean((prediction - y_test) ** 2))


place = {name: k for k, name in enumerate(users + films)}
truth = [liking[place[user], place[film] - len(users)] for user, film in test]
print(f"chosen rho {search.best_params_['rho']}")
print(f"error on ratings held out: {error(search.predict(test)):.3f} stars")
print(f"  by the mean rating       {error(np.mean(y_train)):.3f}")
print(f"  by the true liking       {error(np.clip(truth, 0.5, 5)):.3f}")

# %%
# Recommend, and find similar films
# ---------------------------------
# ``keep_seen=True`` remembers who has rated what, so that nobody is recommended an old
# acquaintance. A user whom the model has never met gets the films that are liked in general.

best = search.best_estimator_.set_params(keep_seen=True).fit(pairs, ratings)
ids, scores, known = best.recommend(["user 007", "user 042", "a newcomer"], n=3)
for user, row, values, is_known in zip(
    ("user 007", "user 042", "a newcomer"), ids, scores, known, strict=True
):
    print(f"{user}{'' if is_known else ' (unknown)'}")
    for film, value in zip(row, values, strict=True):
        print(f"    {value:.1f}  {film} ({GENRES[genre[films.index(film)]]})")

# %%

asked = ["Orbit of Vega", "Dinner with Inez"]
for film, row, values in zip(asked, *best.similar_items(asked, n=3), strict=True):
    print(
        f"similar to {film}: "
        + ", ".join(f"{f} ({v:.2f})" for f, v in zip(row, values, strict=True))
    )
similar, _ = best.similar_items(films, n=5)
same = [genre[films.index(other)] == genre[k] for k, row in enumerate(similar) for other in row]
print(f"of the five most similar films, {np.mean(same):.0%} are of the same genre; by chance 24 %")

# %%
# Would they have liked it?
# -------------------------
# We look up the true liking of the five films recommended to everybody, and compare: five unseen
# films at random, the five of best general quality, and the five that the truth itself would
# choose. The genres were never given to the model. They are visible in its similarities all the
# same.

ids, _, _ = best.recommend(n=5)
rows = np.arange(len(users))[:, None]
chosen = np.array([[films.index(film) for film in row] for row in ids])
unseen = np.where(seen, -np.inf, 0.0)
top = np.argsort(-(unseen + liking), axis=1)[:, :5]
general = np.argsort(-(unseen + quality), axis=1)[:, :5]
anything = np.argsort(-(unseen + rng.random(liking.shape)), axis=1)[:, :5]
liked = {
    "at random": liking[rows, anything].mean(),
    "best in general": liking[rows, general].mean(),
    "recommended": liking[rows, chosen].mean(),
    "the truth": liking[rows, top].mean(),
}
for name, value in liked.items():
    print(f"{name:<18} true liking {value:.2f} stars")

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
left.plot(rhos, -search.cv_results_["mean_test_score"], "o-")
left.plot(search.best_params_["rho"], -search.best_score_, "o", ms=14, mfc="none", mec="C3", mew=2)
left.axhline(error(np.clip(truth, 0.5, 5)), color="k", ls=":", label="by the true liking")
left.set(
    xlabel="rho", ylabel="error on ratings held out, stars", title="Flatter factors predict better"
)
left.grid(alpha=0.3)
left.legend()
others, values = best.similar_items(films, n=len(films) - 1)
similarity = np.eye(len(films))
for k, (row, each) in enumerate(zip(others, values, strict=True)):
    similarity[k, [films.index(film) for film in row]] = each
image = middle.imshow(similarity, cmap="RdBu_r", vmin=-1, vmax=1)
figure.colorbar(image, ax=middle, shrink=0.8)
centres = [np.mean(np.flatnonzero(genre == k)) for k in range(len(GENRES))]
middle.set_xticks(centres, GENRES)
middle.set_yticks(centres, GENRES, rotation=90, va="center")
middle.tick_params(length=0)
middle.set(title="Similarity of all films, by genre")
bars = right.bar(list(liked), list(liked.values()), color=["0.7", "0.7", "C0", "C2"])
right.bar_label(bars, fmt="%.2f", padding=2)
right.set(ylabel="mean true liking, stars", title="Five films for every user", ylim=(0, 5.5))
right.tick_params(axis="x", rotation=15)
plt.show()
