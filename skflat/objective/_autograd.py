"""Taking turns with autograd, whose tape knows no threads."""

from threading import RLock

#: Held while a derivative is traced: autograd keeps the depth of nested traces in one global.
ONE_AT_A_TIME = RLock()
