"""Processes that load years side by side. Imports no model: a new process imports this before Django is set up."""

import multiprocessing
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager

import django
from django.db import connection

from scorecard import children


class Here(Executor):
    """Does what is submitted at once, in this process and its transaction."""

    def submit(self, function, /, *arguments):
        done = Future()
        done.set_result(function(*arguments))
        return done


@contextmanager
def at_hand(processes):
    """That many processes, or this one alone where one is wanted or a transaction is open that others could not see."""
    if processes < 2 or connection.in_atomic_block:
        yield Here()
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_start) as crew:
        try:
            yield crew
        except BaseException:
            crew.shutdown(cancel_futures=True)
            raise


def _start():
    children.die_with_parent()
    django.setup()
