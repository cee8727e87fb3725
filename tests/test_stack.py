"""Finite vocabularies, against closed forms and plain enumeration."""

from itertools import chain, combinations, product
from math import comb, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from skflat.vocabularies import Task, Vocabulary, completions, divergence, survival

#: The six statements of the counterexample to description length.
LISTED = ["abcdjkz", "ebcdk", "afcdj", "ebgdjkz", "afchjk", "efghjk"]


def regions(n_regions, n_classes):
    """A program says that a region has a class; a state gives every region one."""
    states = np.array(list(product(range(n_classes), repeat=n_regions)))
    return Vocabulary([states[:, r] == c for r in range(n_regions) for c in range(n_classes)])


def all_statements(programs):
    """By trying every subset."""
    n = len(programs)
    subsets = chain.from_iterable(combinations(range(n), k) for k in range(n + 1))
    return {frozenset(each) for each in subsets if programs[list(each)].all(axis=0).any()}


vocabularies = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=7))


@pytest.mark.parametrize(
    ("n_regions", "n_classes", "n_fixed"), [(3, 3, 1), (3, 2, 2), (4, 2, 1), (2, 4, 0), (3, 2, 3)]
)
def test_every_open_region_multiplies_the_weakness_by_one_more_than_the_classes(
    n_regions, n_classes, n_fixed
):
    vocabulary = regions(n_regions, n_classes)
    policy = [r * n_classes for r in range(n_fixed)]
    assert vocabulary.n_statements == (n_classes + 1) ** n_regions
    assert vocabulary.weakness(policy) == (n_classes + 1) ** (n_regions - n_fixed)


@given(vocabularies)
def test_the_completions_are_those_that_enumeration_finds(programs):
    vocabulary, language = Vocabulary(programs), all_statements(programs)
    assert vocabulary.n_statements == len(language)
    for statement in language:
        extension = {each for each in language if statement <= each}
        assert vocabulary.extension(statement) == extension
        assert vocabulary.weakness(statement) == len(extension)
        assert set(completions(statement, language)) == extension


@given(vocabularies)
def test_what_says_more_is_not_weaker(programs):
    vocabulary = Vocabulary(programs)
    for statement in vocabulary.extension([]):
        for k in statement:
            assert vocabulary.weakness(statement - {k}) >= vocabulary.weakness(statement)


def test_the_truth_of_a_statement_is_where_all_its_programs_hold():
    vocabulary = Vocabulary([[1, 1, 0], [0, 1, 1], [1, 0, 0]])
    assert vocabulary.truth([0, 1]).tolist() == [False, True, False]
    assert vocabulary.truth([]).tolist() == [True] * 3
    assert vocabulary.is_statement([0, 2])
    assert not vocabulary.is_statement([1, 2])


def test_the_next_layer_speaks_of_what_completions_say():
    """Two programs that hold together say three things, and the empty statement a fourth."""
    vocabulary = Vocabulary([[1, 1, 0, 0], [0, 1, 1, 0]])
    assert sorted(vocabulary.abstract([]).programs.sum(axis=1)) == [1, 2, 2, 4]
    assert vocabulary.abstract([0, 1]).programs.tolist() == [[False, True, False, False]]


# Weakness and description length


def test_the_shortest_need_not_be_the_weakest():
    """In the six listed statements ``jk`` has four completions and the shorter ``z`` two."""
    assert len(completions("z", LISTED)) == 2
    assert len(completions("jk", LISTED)) == 4


def test_closed_under_subsets_the_same_letters_rank_the_other_way():
    letters = sorted(set("".join(LISTED)))
    closed = Vocabulary([[letter in each for each in LISTED] for letter in letters])
    assert closed.weakness([letters.index("z")]) == 112
    assert closed.weakness([letters.index(letter) for letter in "jk"]) == 77


def test_correct_policies_are_those_that_enumeration_finds():
    vocabulary = regions(2, 3)
    inputs = [{0}]
    outputs = [{0, 4}]
    task = Task(vocabulary, inputs, outputs)
    language = all_statements(vocabulary.programs)
    completed = {y for y in language if any(y >= x for x in inputs)}
    correct = {p for p in language if {y for y in completed if y >= p} == {frozenset({0, 4})}}
    assert set(task.policies()) == correct == {frozenset({4}), frozenset({0, 4})}
    assert task.weakest() == task.shortest() == {4}
    assert task.is_correct({0, 4})
    assert not task.is_correct({0})


def test_the_shortest_correct_policy_need_not_be_the_weakest():
    """Both ``a`` and ``bx`` exclude the situation ``c``; five programs go with ``bx`` alone."""
    letters, states = "abcx12345", ["abx", "bx12345", "cb", "cx"]
    vocabulary = Vocabulary([[letter in state for state in states] for letter in letters])
    situation, other, pair = {0, 1, 3}, {2}, frozenset({1, 3})
    task = Task(vocabulary, [situation, other], vocabulary.extension(situation))
    assert task.shortest() == {0}
    assert vocabulary.weakness({0}) == 2**2
    assert task.weakest() == pair
    assert vocabulary.weakness(pair) == 1 + 2**5


# What weakness buys


@pytest.mark.parametrize(
    ("n_demands", "weak", "strong"),
    [(1, 0.6, 0.4), (3, 0.192982, 0.049123), (5, 0.051084, 0.003612)],
)
def test_the_weaker_policy_survives_more_often(n_demands, weak, strong):
    assert survival(12, 20, n_demands) == pytest.approx(weak, abs=5e-7)
    assert survival(8, 20, n_demands) == pytest.approx(strong, abs=5e-7)


def test_survival_is_the_share_of_the_sets_of_demands():
    sets = list(combinations(range(7), 3))
    share = np.mean([set(demands) <= set(range(5)) for demands in sets])
    assert survival(5, 7, 3) == pytest.approx(share, rel=1e-12)
    assert survival(2, 7, 3) == 0


def test_demands_drawn_one_by_one_leave_two_to_the_number_that_is_open():
    """A uniform subset of what is unseen: the sizes are binomial."""
    whole = sum(comb(6, k) / 2**6 * survival(4, 6, k) for k in range(7))
    assert whole == pytest.approx(2**4 / 2**6, rel=1e-12)


def test_the_divergence_is_that_of_two_uniform_distributions():
    assert divergence(25, 100) == pytest.approx(1.386294, abs=5e-7)
    q, p = np.full(25, 1 / 25), np.full(25, 1 / 100)
    assert divergence(25, 100) == pytest.approx(np.sum(q * np.log(q / p)), rel=1e-12)
    assert divergence(7, 7) == 0
    assert divergence(1, 64) == log(64)


# What is refused


@pytest.mark.parametrize("programs", [[], [[]], np.zeros((2, 2, 2))])
def test_a_vocabulary_needs_programs_and_states(programs):
    with pytest.raises(ValueError, match="programs must be an array of shape"):
        Vocabulary(programs)


def test_what_no_state_satisfies_is_no_statement():
    with pytest.raises(ValueError, match=r"No state satisfies the programs \[0, 1\]"):
        Vocabulary([[1, 0], [0, 1]]).weakness([0, 1])


@pytest.mark.parametrize("statement", [[2], [-1], [0, 7]])
def test_programs_that_are_not_there_are_refused(statement):
    with pytest.raises(ValueError, match="indices of the 2 programs, got"):
        Vocabulary([[1, 0], [0, 1]]).weakness(statement)


def test_counting_gives_up_where_there_is_too_much():
    programs = np.ones((12, 1), dtype=bool)
    assert Vocabulary(programs, max_statements=2**12).n_statements == 2**12
    with pytest.raises(ValueError, match="more than 4095 completions"):
        _ = Vocabulary(programs, max_statements=2**12 - 1).n_statements


def test_a_task_without_a_correct_policy_says_so():
    vocabulary = Vocabulary([[1, 1], [1, 1]])
    with pytest.raises(ValueError, match="outputs must be completions of the inputs"):
        Task(vocabulary, [{0}], [{1}])
    with pytest.raises(ValueError, match="no correct policy"):
        Task(vocabulary, [{0}], [{0}]).weakest()


@pytest.mark.parametrize(("n_open", "n_demands"), [(5, 1), (-1, 1), (2, 5), (2, -1)])
def test_impossible_numbers_are_refused(n_open, n_demands):
    with pytest.raises(ValueError, match="must be between 0 and n_unseen, got"):
        survival(n_open, 4, n_demands)
    with pytest.raises(ValueError, match="weakness must be between 1 and n_statements=4, got"):
        divergence(5 if n_open > 0 else 0, 4)
