# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for a condition, with a bound: what the tests do where others sleep and hope."""

import time

STEP_S = 0.01


class Expired(AssertionError):
    """The condition did not become true within its bound."""


def until(condition, seconds, what):
    """Returns the first true value of condition(); `what` says in the failure what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Expired(f'after {seconds} s still no {what}')
        time.sleep(STEP_S)
