"""Exits, signals, streams and what a program inherits: contain must not be noticed."""

from tests.mutation.mutants import Edit, Mutant

KILL_US = "    signal = posix.WTERMSIG(status)\n"

MUTANTS = (
    Mutant(
        "death-is-255",
        "A program killed by a signal gives the exit status 255.",
        (Edit("contain/launch.py", KILL_US, "    posix._exit(255)\n" + KILL_US),),
        ("test_signals.py::test_a_program_without_handlers_dies_of_it[INT]",),
    ),
    Mutant(
        "death-is-a-number",
        "A program killed by a signal gives 128 and its number, as a program may by itself.",
        (Edit("contain/launch.py", KILL_US, KILL_US + "    posix._exit(128 + signal)\n"),),
        ("test_memory.py::test_a_program_killed_by_another_hand_is_not_called_out_of_memory",),
    ),
    Mutant(
        "status-of-init",
        "The exit status is that of process 1, which always succeeds.",
        (Edit("contain/launch.py", "        return self.cut_short or talk.status\n", "        return 0\n"),),
        ("test_exit.py::test_a_program_may_use_these_statuses_itself_and_contain_says_nothing[125]",),
    ),
    Mutant(
        "every-failure-is-1",
        "Each failure of the program gives the exit status 1.",
        (Edit("contain/launch.py", "posix._exit(posix.WEXITSTATUS(status))", "posix._exit(posix.WEXITSTATUS(status) and 1)"),),
        ("test_exit.py::test_a_program_may_use_these_statuses_itself_and_contain_says_nothing[255]",),
    ),
    Mutant(
        "not-found-is-1",
        "A program that is not there gives the exit status 1.",
        (Edit("contain/errors.py", "NOT_FOUND = 127", "NOT_FOUND = 1"),),
        ("test_exit.py::test_a_program_that_is_not_there_is_127",),
    ),
    Mutant(
        "term-swallowed",
        "SIGTERM to the launcher does not reach the program.",
        (
            Edit(
                "contain/relay.py",
                "    def _send_on(self, signal: int, code: int, raw: bytes) -> None:\n",
                "    def _send_on(self, signal: int, code: int, raw: bytes) -> None:\n"
                "        if signal == linux.SIGTERM:\n"
                "            return\n",
            ),
        ),
        ("test_signals.py::test_each_of_60_signals_to_the_launcher_arrives_once",),
    ),
    Mutant(
        "early-signals-lost",
        "A signal that comes before the program runs is thrown away.",
        (
            Edit("contain/launch.py", 'elif relay.deadly(int.from_bytes(raw[:4], "little")):', "elif False:"),
            Edit("contain/launch.py", "                        early.append(raw)\n", "                        pass\n"),
        ),
        ("test_signals.py::test_a_signal_in_the_middle_of_a_launch_ends_it",),
    ),
    Mutant(
        "signal-doubled",
        "The program gets each signal twice.",
        (
            Edit(
                "contain/relay.py",
                "                posix.kill(self.program, signal)\n",
                "                posix.kill(self.program, signal)\n"
                "                posix.sched_yield()\n"
                "                posix.kill(self.program, signal)\n",
            ),
        ),
        ("test_signals.py::test_each_of_60_signals_to_the_launcher_arrives_once",),
    ),
    Mutant(
        "stop-untold",
        "The launcher runs on when its program has stopped.",
        (Edit("contain/relay.py", "                self._stop(signal)\n", "                pass\n"),),
        ("test_signals.py::test_a_program_that_stops_itself_stops_the_launcher",),
    ),
    Mutant(
        "sigpipe-ignored",
        "The program ignores SIGPIPE, because Python does.",
        (
            Edit(
                "contain/child.py",
                "            linux.signal_action(signal, linux.SIG_DFL)\n        if",
                "            linux.signal_action(signal, linux.SIG_IGN)\n        if",
            ),
        ),
        ("test_streams.py::test_a_closed_pipe_kills_the_program_and_the_launcher_by_sigpipe",),
    ),
    Mutant(
        "signals-blocked",
        "The program starts with all signals blocked, as the launcher has them.",
        (Edit("contain/child.py", "        linux.signal_mask(linux.SIG_SETMASK, caller.mask)\n", ""),),
        ("test_signals.py::test_what_the_caller_ignores_is_ignored_inside[INT,QUIT]",),
    ),
    Mutant(
        "sigchld-lost",
        "A caller that ignores SIGCHLD gets a wrong status.",
        (
            Edit(
                "contain/child.py",
                "linux.signal_action(linux.SIGCHLD, linux.SIG_DFL) == linux.SIG_IGN",
                "bool(linux.SIG_DFL)",
            ),
        ),
        ("test_signals.py::test_a_caller_that_ignores_sigchld_gets_the_right_status",),
    ),
    Mutant(
        "outlives-its-launcher",
        "Process 1 does not end with a launcher that was killed.",
        (
            Edit("contain/child.py", "        linux.prctl(linux.PR_SET_PDEATHSIG, linux.SIGKILL)\n", ""),
            Edit("contain/stub.py", "4883f801751e", "4883f8019090"),
        ),
        ("test_faults.py::test_killing_the_launcher_ends_everything_within_a_second",),
    ),
    Mutant(
        "environment-passed-on",
        "The program sees the caller's whole environment.",
        (Edit("contain/plan.py", "list(caller) if options.env_all else", "list(caller) if True else"),),
        ("test_environment.py::test_the_environment_is_empty_but_for_path",),
    ),
    Mutant(
        "descriptors-leaked",
        "Open files of the caller reach the program.",
        (Edit("contain/plan.py", "plan.keep = 3 + options.preserve_fds", "plan.keep = 10 + options.preserve_fds"),),
        ("test_streams.py::test_other_descriptors_are_closed",),
    ),
    Mutant(
        "closed-streams-reused",
        "A stream that the caller has closed is whatever file was opened first.",
        (Edit("contain/cli.py", "    for fd in range(3):\n", "    for fd in ():\n"),),
        ("test_streams.py::test_closed_streams_become_dev_null[>&-]",),
    ),
    Mutant(
        "own-umask",
        "The umask is the launcher's own.",
        (
            Edit(
                "contain/child.py",
                "        for signal in (linux.SIGPIPE",
                "        posix.umask(0o22)\n        for signal in (linux.SIGPIPE",
            ),
        ),
        ("test_environment.py::test_umask_priority_and_limits_are_the_callers",),
    ),
    Mutant(
        "own-words",
        "The launcher says something of its own where all is well.",
        (Edit("contain/cli.py", "    leave(Launch(plan).run())\n", '    say("started")\n    leave(Launch(plan).run())\n'),),
        ("test_streams.py::test_stderr_is_the_programs_alone",),
    ),
    Mutant(
        "stdout-held",
        "A helper of the launcher lives on and holds the program's stdout open.",
        (
            Edit(
                "contain/launch.py",
                "    if posix.WIFEXITED(status):\n        posix._exit",
                "    if posix.fork() == 0:\n"
                "        from time import sleep\n"
                "        sleep(600)\n"
                "    if posix.WIFEXITED(status):\n        posix._exit",
            ),
        ),
        ("test_streams.py::test_output_ends_with_the_program_not_with_what_it_left",),
    ),
    Mutant(
        "zombies",
        "Nobody inside reaps orphans.",
        (
            Edit(
                "contain/child.py",
                "        linux.signal_action(linux.SIGCHLD, linux.SIG_IGN)\n        self._perform(plan.namespaces)",
                "        self._perform(plan.namespaces)",
            ),
        ),
        ("test_exit.py::test_orphans_are_reaped_inside",),
    ),
    Mutant(
        "mount-points-left",
        "Folders made in the root to mount on stay there.",
        (
            Edit(
                "contain/mountpoint.py",
                "            if self.fd >= 0:\n                self._leave()",
                "            if False:\n                self._leave()",
            ),
        ),
        ("test_inputs_rootfs.py::test_a_root_without_proc_and_dev_gets_them_for_the_time",),
    ),
)
