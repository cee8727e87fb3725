"""Finite vocabularies: statements, their completions, weakness and description length.

These are the formal objects behind the weakness of networks (Bennett, arXiv:2301.12987 and
arXiv:2605.05209). Here they are so small that they can be counted. A vocabulary is a set of
programs, and a program is a set of states. A statement is a set of programs that hold together in
some state. It is written as a collection of the programs' indices.
"""

from math import comb, log

import numpy as np

MAX_STATEMENTS = 2_000_000


class Vocabulary:
    """A finite set of programs over a finite set of states.

    Parameters
    ----------
    programs : array-like of shape (n_programs, n_states)
        Whether each program holds in each state.
    max_statements : int, default=2_000_000
        Largest number of completions to count. If there are more, there is an error.

    Attributes
    ----------
    programs : ndarray of bool, shape (n_programs, n_states)

    Raises
    ------
    ValueError
        If there is no program or no state.

    Examples
    --------
    Three regions. Each may be assigned one of three classes, or none:

    >>> from itertools import product
    >>> import numpy as np
    >>> from skflat.vocabularies import Vocabulary
    >>> states = np.array(list(product(range(3), repeat=3)))
    >>> regions = Vocabulary([states[:, r] == c for r in range(3) for c in range(3)])
    >>> regions.n_statements, regions.weakness([0])
    (64, 16)
    """

    def __init__(self, programs, max_statements=MAX_STATEMENTS):
        self.programs = np.array(programs, dtype=bool, ndmin=2)
        if self.programs.ndim != 2 or self.programs.size == 0:
            raise ValueError(
                "programs must be an array of shape (n_programs, n_states), neither of them 0, "
                f"got shape {self.programs.shape}."
            )
        self.max_statements = max_statements
        # Each program is one integer with a bit per state. An intersection is then one operation.
        packed = np.packbits(self.programs, axis=1)
        self._bits = [int.from_bytes(row.tobytes(), "big") for row in packed]

    @property
    def n_statements(self):
        """Number of statements of the language, which is the weakness of the empty statement."""
        return self.weakness([])

    def truth(self, statement):
        """A mask, of shape (n_states,), of the states in which all programs of a statement hold.

        Parameters
        ----------
        statement : iterable of int
            Indices of programs.

        Returns
        -------
        ndarray of bool of shape (n_states,)
        """
        return self.programs[self._indices(statement)].all(axis=0)

    def is_statement(self, programs):
        """Whether some state satisfies all of these programs.

        Parameters
        ----------
        programs : iterable of int
            Their indices.

        Returns
        -------
        bool
        """
        return bool(self.truth(programs).any())

    def weakness(self, statement):
        """Number of completions of a statement, including itself.

        The number is exact, and the time is proportional to it.

        Parameters
        ----------
        statement : iterable of int
            Indices of programs.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            If no state satisfies the statement, or it has more than ``max_statements`` completions.
        """
        return sum(1 for _ in self._completions(statement))

    def extension(self, statement):
        """The set of completions of a statement, as frozensets.

        Parameters
        ----------
        statement : iterable of int
            Indices of programs.

        Returns
        -------
        set of frozenset
        """
        base = frozenset(self._indices(statement))
        return {base.union(added) for added in self._completions(statement)}

    def abstract(self, statement):
        """The vocabulary of the next layer: the truth sets of the statement's completions.

        Parameters
        ----------
        statement : iterable of int
            Indices of programs.

        Returns
        -------
        Vocabulary
        """
        truths = [self.truth(sorted(each)) for each in self.extension(statement)]
        return Vocabulary(np.unique(truths, axis=0), self.max_statements)

    def _indices(self, statement):
        indices = sorted(set(statement))
        if any(not 0 <= k < len(self.programs) for k in indices):
            raise ValueError(
                f"statement must hold indices of the {len(self.programs)} programs, "
                f"got {list(statement)}."
            )
        return indices

    def _completions(self, statement):
        """Iterate over the tuples of programs that complete a statement. The empty one is first.

        Programs are added one at a time in a fixed order, as long as a state is left. This reaches
        every completion once, because a subset of a statement is a statement.
        """
        indices, bits = self._indices(statement), -1  # all bits of -1 are set
        for k in indices:
            bits &= self._bits[k]
        if bits == 0:
            raise ValueError(f"No state satisfies the programs {indices}: this is no statement.")
        others = [k for k in range(len(self._bits)) if k not in set(indices)]
        # A stack: depth first, so few partial statements are in memory at a time.
        pending, n_found = [(bits, 0, ())], 0
        while pending:
            bits, start, added = pending.pop()
            n_found += 1
            if n_found > self.max_statements:
                raise ValueError(f"There are more than {self.max_statements} completions.")
            yield added
            for place in range(start, len(others)):
                left = bits & self._bits[others[place]]
                if left:
                    pending.append((left, place + 1, (*added, others[place])))


class Task:
    """Situations and their correct completions, in one vocabulary.

    A policy is a statement. Some completions of the situations also complete the policy. The policy
    is correct if these are exactly the right completions.

    Parameters
    ----------
    vocabulary : Vocabulary
    inputs : collection of statements
        The situations.
    outputs : collection of statements
        The right ones among the completions of the situations.

    Examples
    --------
    Two bits that must be equal. There are two programs for each bit. In the situation the first bit
    is 1. The weakest policy is to set the second bit:

    >>> from skflat.vocabularies import Task, Vocabulary
    >>> bits = Vocabulary([[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    >>> task = Task(bits, inputs=[{0}], outputs=[{0, 2}])
    >>> sorted(task.weakest()), bits.weakness(task.weakest())
    ([2], 3)
    """

    def __init__(self, vocabulary, inputs, outputs):
        self.vocabulary = vocabulary
        self.inputs = {frozenset(each) for each in inputs}
        self.outputs = {frozenset(each) for each in outputs}
        if not self.outputs <= self._completed():
            raise ValueError("outputs must be completions of the inputs.")

    def is_correct(self, policy):
        """Whether a policy picks exactly the right completions.

        Parameters
        ----------
        policy : iterable of int
            Indices of programs.

        Returns
        -------
        bool
        """
        return self._completed(policy) == self.outputs

    def policies(self):
        """All correct policies, a list of frozensets.

        Returns
        -------
        list of frozenset
        """
        found = self.vocabulary.extension([])
        return [each for each in sorted(found, key=_by_length) if self.is_correct(each)]

    def weakest(self):
        """The correct policy with the most completions; the shortest one if several are equal.

        Returns
        -------
        frozenset
        """
        # The policies are sorted by length, and ``max`` returns the first maximum.
        return max(self._some(), key=self.vocabulary.weakness)

    def shortest(self):
        """A correct policy with the fewest programs, which has the minimum description length.

        Returns
        -------
        frozenset
        """
        return min(self._some(), key=len)

    def _completed(self, policy=()):
        """The completions of the situations that also complete the policy."""
        both = [situation.union(policy) for situation in self.inputs]
        consistent = [each for each in both if self.vocabulary.is_statement(each)]
        return set().union(*(self.vocabulary.extension(each) for each in consistent))

    def _some(self):
        policies = self.policies()
        if not policies:
            raise ValueError("The task has no correct policy in this vocabulary.")
        return policies


def _by_length(statement):
    return len(statement), sorted(statement)


def completions(statement, language):
    """The statements of a language that contain a statement. The language is given as a list.

    The language of a `Vocabulary` follows from its programs, and every subset of a statement in it
    is a statement, too. A list does not need this property.

    Parameters
    ----------
    statement : collection
        The statement to complete.
    language : collection of collections
        All statements of the language.

    Returns
    -------
    list of frozenset

    Examples
    --------
    >>> from skflat.vocabularies import completions
    >>> len(completions("b", ["ab", "bc", "cd"]))
    2
    """
    return [each for each in map(frozenset, language) if each.issuperset(statement)]


def survival(n_open, n_unseen, n_demands):
    """Probability that a policy stays correct if demands are drawn from the unseen statements.

    It is ``C(n_open, k) / C(n_unseen, k)``. The ``k`` demands are drawn uniformly without
    replacement. The policy stays correct if all of them are among its completions.

    Parameters
    ----------
    n_open : int
        Number of unseen statements that complete the policy, at most ``n_unseen``.
    n_unseen : int
        Number of unseen statements.
    n_demands : int
        Number ``k`` of demands, at most ``n_unseen``.

    Returns
    -------
    float

    Examples
    --------
    >>> from skflat.vocabularies import survival
    >>> survival(12, 20, 1), survival(8, 20, 1)
    (0.6, 0.4)
    """
    if not (0 <= n_open <= n_unseen and 0 <= n_demands <= n_unseen):
        raise ValueError(
            "n_open and n_demands must be between 0 and n_unseen, "
            f"got n_open={n_open}, n_demands={n_demands}, n_unseen={n_unseen}."
        )
    return comb(n_open, n_demands) / comb(n_unseen, n_demands)


def divergence(weakness, n_statements):
    """Divergence of the uniform posterior on a policy's completions from the uniform prior.

    It is ``log(n_statements / weakness)``, in nats. This is the complexity term of a PAC-Bayes
    bound. It is smallest for the weakest correct policy.

    Parameters
    ----------
    weakness : int
        Number of completions of the policy.
    n_statements : int
        Number of statements of the whole language.

    Returns
    -------
    float

    Examples
    --------
    >>> from skflat.vocabularies import divergence
    >>> round(divergence(25, 100), 6)
    1.386294
    """
    if not 0 < weakness <= n_statements:
        raise ValueError(
            f"weakness must be between 1 and n_statements={n_statements}, got {weakness}."
        )
    return log(n_statements / weakness)


__all__ = ["Task", "Vocabulary", "completions", "divergence", "survival"]
