#!/usr/bin/env python3
"""Switches rules of the protocol off, one by one (core/fault.h), and lets the suite find what comes of it.

    show_it_can_fail.py [SEED] [ROUNDS] [RULE...]     at most ROUNDS rounds a rule (6); seed 1; all rules unless named

A rule is found where a round fails without it, and the same round passes with it. Exit code 1: a rule was not found.
Each is tried with the faults that it is there for.
"""
import os
import sys

import run

RULES = {
    # what is switched off: (what it is, the faults)
    "exact_cursor": ("a batch is applied wherever the cursor stands", ["lose_writes", "fail_over", "kill", "stop_long"]),
    "ack_after": ("an alert is acknowledged before it is sent", ["kill", "lie"]),
    "rewind": ("after a wipe partitions go on where they are", ["flush", "wipe", "kill"]),
    "digest_kept": ("which alerts a digest has is not written down before it is sent", ["kill", "lie", "stop_long"]),
    "follow": ("what others wrote to the journal is passed over", ["kill", "stop_short", "leave"]),
    "reload": ("who knows entries that Redis lost goes on with them", ["lose_writes", "fail_over", "stop_short"]),
    "all_partitions": ("the watermark looks only at partitions that have shown something", ["kill", "stop_long", "leave"]),
}

AT_ONCE = ["all_partitions"]  # found where partitions begin one after the other


def found_by(rule, seed, rounds, broker):
    """The round that found it, and the faults it took."""
    faults = 0
    for number in range(rounds):
        one = run.Round(seed, number, broker, run.Options(off=rule, only=RULES[rule][1], seconds=15, at_once=rule in AT_ONCE, rest_s=45))
        try:
            one.run()
        finally:
            one.close(keep=False)
        faults += sum(one.world.done.values())
        if one.verdict.problems:
            return one, faults
    return None, faults


def passes_with_it(rule, one, broker):
    again = run.play(one.seed, one.number, broker, run.Options(only=RULES[rule][1], seconds=15, at_once=rule in AT_ONCE))
    return not again.verdict.problems


def show(rule, seed, rounds, broker):
    print("\n%s off: %s" % (rule, RULES[rule][0]), flush=True)
    one, faults = found_by(rule, seed, rounds, broker)
    if one is None:
        print("  NOT FOUND in %d faults" % faults, flush=True)
        return False
    print("  found after %d faults, in round %d: %s" % (faults, one.number, one.verdict.problems[0][:160]))
    print("  %s" % {k: n for k, n in one.verdict.counts.items() if n and k in run.Total.PROBLEMS}, flush=True)
    if not passes_with_it(rule, one, broker):
        print("  but the same round fails with the rule, too", flush=True)
        return False
    return True


def main():
    run.need_build()
    words = sys.argv[1:]
    seed = words.pop(0) if words else "1"
    rounds = int(words.pop(0)) if words else 6
    broker = run.open_broker(not os.environ.get("KAFKA_BROKERS"))
    try:
        missed = [rule for rule in words or RULES if not show(rule, seed, rounds, broker)]
    finally:
        broker.close()
    print("\nnot found: %s" % ", ".join(missed) if missed else "\neach was found")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
