"""Memory, cores, the number of processes, and the cgroups that hold these limits."""

from tests.mutation.mutants import Edit, Mutant

LIMITS = "    limits = Limits(options.memory_limit, options.cpu_core_ids, options.pids_limit)\n"
NO_CORES = Edit("contain/plan.py", LIMITS, "    limits = Limits(options.memory_limit, None, options.pids_limit)\n")

MUTANTS = (
    Mutant(
        "no-cpuset",
        "The list of cores is read and then forgotten.",
        (NO_CORES,),
        ("test_cpuset.py::test_lists_and_ranges_mean_what_they_say",),
    ),
    Mutant(
        "cores-by-affinity",
        "The cores are set as an affinity, which the program may widen.",
        (
            NO_CORES,
            Edit(
                "contain/cli.py",
                "    leave(Launch(plan).run())\n",
                "    if options.cpu_core_ids is not None:\n"
                "        posix.sched_setaffinity(0, options.cpu_core_ids)\n"
                "    leave(Launch(plan).run())\n",
            ),
        ),
        ("test_cpuset.py::test_the_program_cannot_widen_it",),
    ),
    Mutant(
        "no-memory-limit",
        "The memory limit is read and then forgotten.",
        (Edit("contain/plan.py", LIMITS, "    limits = Limits(None, options.cpu_core_ids, options.pids_limit)\n"),),
        ("test_memory.py::test_over_the_limit_the_program_is_killed_and_the_user_told",),
    ),
    Mutant(
        "swap-unlimited",
        "Memory is limited, and swap is not: the program gets slow instead of being killed.",
        (
            Edit(
                "contain/cgroup.py",
                '(b"memory.limit_in_bytes", value), (b"memory.memsw.limit_in_bytes", value)]',
                '(b"memory.limit_in_bytes", value)]',
            ),
            Edit("contain/cgroup.py", 'found.append((b"memory.swap.max", b"0"))', "pass"),
        ),
        ("test_memory.py::test_swap_is_closed",),
    ),
    Mutant(
        "megabytes-of-1024",
        "16MB is taken for 16MiB, which is more.",
        (Edit("contain/values.py", 'b"mb": 10**6', 'b"mb": 1 << 20'),),
        ("test_memory.py::test_the_limit_in_the_kernel_is_the_one_asked_for[16MB-None]",),
    ),
    Mutant(
        "one-dies-of-many",
        "Out of memory, one process is killed and its brothers live on.",
        (
            Edit("contain/launch.py", "talk.end_init()  # v1", "pass  # v1"),
            Edit("contain/cgroup.py", 'found.append((b"memory.oom.group", b"1"))', "pass"),
        ),
        ("test_memory.py::test_the_whole_group_dies",),
    ),
    Mutant(
        "out-of-memory-untold",
        "A program is killed for want of memory, and nobody is told why.",
        (Edit("contain/launch.py", 'say(f"killed: {told}")', "pass"),),
        ("test_memory.py::test_over_the_limit_the_program_is_killed_and_the_user_told",),
    ),
    Mutant(
        "out-of-memory-always",
        "Whatever ends under a memory limit is said to have been killed by it.",
        (Edit("contain/launch.py", "        if not told:\n", "        if self.memory is None:\n"),),
        ("test_memory.py::test_a_program_that_ends_by_itself_is_not_called_killed[0]",),
    ),
    Mutant(
        "a-neighbours-event",
        "When a group above runs out of memory, everybody in it is ended (cgroup v1).",
        (Edit("contain/blame.py", "        if self._killed():\n", "        if told:\n"),),
        ("test_memory_blame.py::test_only_who_asks_for_too_much_dies_and_is_told_whose_limit_it_was[a_stranger_beside_them]",),
    ),
    Mutant(
        "always-ones-own-limit",
        "Whoever is killed for want of memory is said to have reached his own limit.",
        (Edit("contain/blame.py", "        if group == self.path:\n", "        if group:\n"),),
        ("test_memory_blame.py::test_a_limit_that_is_set_or_changed_later_is_told_as_it_is",),
    ),
    Mutant(
        "no-pids-limit",
        "The number of processes is not limited.",
        (Edit("contain/plan.py", LIMITS, "    limits = Limits(options.memory_limit, options.cpu_core_ids, None)\n"),),
        ("test_defaults.py::test_the_number_of_processes_is_limited",),
    ),
    Mutant(
        "leaked-cgroup",
        "The cgroups stay when the program has ended.",
        (
            Edit(
                "contain/cgroup.py",
                "                self._remove()\n",
                "                pass\n",
            ),
        ),
        ("test_memory.py::test_below_the_limit_the_program_lives",),
    ),
    Mutant(
        "neighbours-killed",
        "Sweeping what killed launchers left also ends who still lives there.",
        (
            Edit(
                "contain/cgroup.py",
                "                linux.flock(fd, linux.LOCK_EX | linux.LOCK_NB)\n",
                '                if name != PREFIX + b"%d" % posix.getpid():\n'
                '                    for pid in (read(path + b"/cgroup.procs")).split():\n'
                "                        posix.kill(int(pid), 9)\n"
                "                linux.flock(fd, linux.LOCK_EX | linux.LOCK_NB)\n",
            ),
        ),
        ("test_faults.py::test_a_running_neighbour_is_not_swept",),
    ),
    Mutant(
        "callers-limit-escaped",
        "The groups are made where a limit on the caller does not reach.",
        (
            Edit("contain/placement.py", "hierarchy.own if parent is None else parent", 'b"/" if parent is None else parent'),
            Edit("contain/placement.py", "        refuse_if_limited(hierarchy, group)\n", ""),
        ),
        ("test_inputs_cpu.py::test_a_limit_on_cores_is_not_escaped_in_company",),
    ),
)
