"""The real thing: what two threads of this computer pay for one cache line, beside the model's two CPUs.

This is no part of the machine, and no grade depends on it: times differ from run to run. Needs a C compiler.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .cacheline import Costs, Phase, replay

BURST, BURSTS = 2000, 301  # operations in a burst, and bursts of which the median is taken
PROGRAM = r"""
#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct { _Alignas(128) atomic_long word[16]; } line[2];
static atomic_int ready;
static int kind;
static double took[2][BURSTS];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *run(void *arg) {
    long me = (long)arg;
    atomic_long *word = kind == 0 ? &line[me].word[0] : kind == 3 ? &line[0].word[me] : &line[0].word[0];
#ifdef __linux__ /* a CPU for each, or they take turns and never meet */
    cpu_set_t may, only;
    CPU_ZERO(&only);
    sched_getaffinity(0, sizeof may, &may);
    for (int cpu = 0, n = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &may) && n++ == me) CPU_SET(cpu, &only);
    pthread_setaffinity_np(pthread_self(), sizeof only, &only);
#endif
    for (int burst = 0; burst < BURSTS; burst++) {
        atomic_fetch_add(&ready, 1);
        while (atomic_load(&ready) < 2 * (burst + 1)) ;
        double start = now();
        for (int n = 0; n < BURST; n++) {
            if (kind == 2) {
                long old = atomic_load(word);
                while (!atomic_compare_exchange_weak(word, &old, old + 1)) ;
            } else {
                atomic_fetch_add(word, 1);
            }
        }
        took[me][burst] = (now() - start) / BURST;
    }
    return 0;
}

static int order(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    for (kind = 0; kind < 4; kind++) {
        pthread_t thread[2];
        atomic_store(&ready, 0);
        for (long n = 0; n < 2; n++)
            if (pthread_create(&thread[n], 0, run, (void *)n)) return 1;
        for (int n = 0; n < 2; n++) pthread_join(thread[n], 0);
        qsort(took, 2 * BURSTS, sizeof(double), order);
        printf("%f\n", took[0][BURSTS]);
    }
    return 0;
}
"""
KINDS = (
    "a line each",
    "one line, incremented",
    "one line, by load and compare-and-exchange",
    "two words on one line",
)


def measure(compiler: str = "cc") -> dict[str, float] | str:
    """Return nanoseconds for one operation of each kind, the median of many bursts; or why there is nothing to tell."""
    found = shutil.which(compiler)
    if found is None:
        return "There is no C compiler (cc) here, so this was left out."
    if (os.cpu_count() or 1) < 2:
        return "There is only one CPU here, so nobody could fight for a line."
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "lines.c"), Path(folder, "lines")
        source.write_text(PROGRAM, "utf-8")
        build = [found, "-O2", "-std=gnu11", "-pthread", f"-DBURST={BURST}", f"-DBURSTS={BURSTS}"]
        try:
            subprocess.run(
                [*build, str(source), "-o", str(program)],
                check=True,
                capture_output=True,
                timeout=60,
            )
            done = subprocess.run([str(program)], check=True, capture_output=True, text=True, timeout=60)
        except (subprocess.SubprocessError, OSError) as wrong:
            return f"The C compiler here could not be used ({type(wrong).__name__}), so this was left out."
    return dict(zip(KINDS, map(float, done.stdout.split()), strict=True))


def modelled() -> dict[str, float]:
    """Return the same of the model's two CPUs, on one socket, for the kinds that it knows."""
    costs = Costs(sockets=1, jitter=0.0)
    increment, exchange = (("line", "w"),), (("line", "r"), ("line", "w"))
    alone = replay([Phase("alone", BURST, 0.0, increment)], 1, costs).whole / BURST
    both = [
        replay([Phase("both", BURST, 0.0, visit)], 2, costs).whole / BURST / 2
        for visit in (increment, exchange)
    ]
    return dict(zip(KINDS, (alone, *both), strict=False))


def two_threads(compiler: str = "cc") -> str:
    """Show what is measured here and what the model counts, as multiples of an operation on a line of one's own."""
    found = measure(compiler)
    if isinstance(found, str):
        return found
    model = modelled()
    rows = [f"{'':<46}{'here':>8}{'the model':>12}"]
    for kind, took in found.items():
        told = f"{model[kind] / model[KINDS[0]]:.1f} ×" if kind in model else "not told"
        rows.append(f"{kind:<46}{took / found[KINDS[0]]:>6.1f} ×{told:>12}")
    return "\n".join(rows)
