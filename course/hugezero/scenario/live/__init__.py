"""The third kernel: scenarios on the Linux that this runs on, carried out by real processes.

    from hugezero.scenario.live import linux
    with linux.Linux() as kernel:
        print(kernel.can)
        kernel.run([Mmap("a", 2 << 20), Madvise("a", "hugepage"), Read("a")])

Nothing is imported here, since the course also runs where there is no Linux.
"""
