"""The root, what the program sees of the host, and what it may do."""

from tests.mutation.mutants import Edit, Mutant

MUTANTS = (
    Mutant(
        "chroot-alone",
        "The program is put into its root by chroot(2), and the host's root stays the namespace's.",
        (
            Edit(
                "contain/rootfs.py",
                'linux.move_mount(live.root, linux.AT_FDCWD, b"/")',
                'linux.move_mount(live.root, linux.AT_FDCWD, b"/mnt")',
            ),
            Edit("contain/rootfs.py", "linux.pivot_root_here()", 'linux.syscall(161, b".")'),
            Edit(
                "contain/namespace.py",
                "        linux.setns(live.init_fd, OWN)\n",
                '        linux.setns(live.init_fd, OWN)\n        linux.syscall(161, b"/mnt")\n        posix.chdir(b"/")\n',
            ),
        ),
        ("test_escapes.py::test_a_chroot_inside_does_not_lead_out",),
    ),
    Mutant(
        "old-root-mounted",
        "After pivot_root the host's root is not unmounted, and stands in a folder of the new one.",
        (Edit("contain/rootfs.py", "linux.pivot_root_here()", 'linux.syscall(155, b".", b"tmp")'),),
        ("test_chroot.py::test_the_old_root_is_no_mount_inside",),
    ),
    Mutant(
        "hosts-tree",
        "The program stays in the host's tree.",
        (Edit("contain/rootfs.py", "linux.pivot_root_here()", 'linux.syscall(155, b".", b".")'),),
        ("test_chroot.py::test_the_hosts_tree_is_out_of_sight",),
    ),
    Mutant(
        "hosts-proc",
        "/proc is the host's, with all its processes.",
        (
            Edit(
                "contain/pseudo.py",
                'live.proc = linux.new_mount(b"proc", (), SAFE)',
                'live.proc = linux.open_tree(linux.AT_FDCWD, b"/proc")\n'
                # or what is mounted on it would be mounted on the host's, too
                "        linux.mount_setattr(live.proc, 0, linux.AT_EMPTY_PATH, linux.MS_PRIVATE)",
            ),
        ),
        ("test_defaults.py::test_only_its_own_processes_are_seen",),
    ),
    Mutant(
        "written-through-read-only",
        "--read-only and :ro are taken and not applied.",
        (Edit("contain/rootfs.py", "MOUNT_ATTR_NODEV | (MOUNT_ATTR_RDONLY if read_only else 0)", "MOUNT_ATTR_NODEV | (0)"),),
        (
            "test_chroot.py::test_read_only_root_takes_no_write_but_tmpfs_does",
            "test_chroot.py::test_bind_shows_a_folder_and_ro_seals_it",
        ),
    ),
    Mutant(
        "devices-of-the-root",
        "A device file that lies in the root works.",
        (Edit("contain/rootfs.py", "self.attributes = MOUNT_ATTR_NODEV | (", "self.attributes = 0 | ("),),
        ("test_defaults.py::test_a_device_file_of_the_root_is_dead",),
    ),
    Mutant(
        "links-followed",
        "A symbolic link in the root decides where /proc is mounted.",
        (Edit("contain/rootfs.py", "linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_SYMLINKS |", "linux.RESOLVE_IN_ROOT |"),),
        ("test_inputs_rootfs.py::test_a_link_at_proc_is_refused[/etc]",),
    ),
    Mutant(
        "switches-open",
        "The kernel's settings below /proc can be written.",
        (Edit("contain/pseudo.py", "        for name in _READ_ONLY:\n", "        for name in ():\n"),),
        ("test_defaults.py::test_the_kernels_switches_cannot_be_written[/proc/sys/kernel/hostname]",),
    ),
    Mutant(
        "proc-unmasked",
        "What tells of the whole machine can be read in /proc.",
        (Edit("contain/pseudo.py", "        for name in _MASKED:\n", "        for name in ():\n"),),
        ("test_defaults.py::test_what_tells_of_the_host_is_masked[/proc/timer_list]",),
    ),
    Mutant(
        "levers-inside",
        "What is mounted in the root of the host's pseudo file systems stays as it is.",
        (Edit("contain/plan.py", "*mounts.sealed(attachments),", "*attachments,"),),
        ("test_levers.py::test_no_lever_of_the_host_can_be_moved[prepared]",),
    ),
    Mutant(
        "levers-by-name",
        "The levers are taken away where the root is called /.",
        (
            Edit(
                "contain/plan.py",
                "*mounts.sealed(attachments),",
                '*attachments, *([pseudo.SealPseudo(True)] if options.chroot == b"/" else []),',
            ),
        ),
        ("test_levers.py::test_no_lever_of_the_host_can_be_moved[spellings]",),
    ),
    Mutant(
        "levers-hidden",
        "Levers are sealed when all is attached, and those that are hidden by then are not.",
        (Edit("contain/plan.py", "*mounts.sealed(attachments),", "*attachments, pseudo.SealPseudo(True),"),),
        ("test_levers.py::test_no_hidden_lever_comes_out[tmpfs]",),
    ),
    Mutant(
        "cgroups-of-its-own",
        "A program may make a cgroup namespace in a user namespace.",
        (Edit("contain/plan.py", "security.OneCgroupNamespace(),", ""),),
        ("test_levers.py::test_a_program_can_not_mount_its_cgroups[--memory-limit 64M --cpu-core-ids 0-unshare]",),
    ),
    Mutant(
        "procfs-bound",
        "A procfs of the host's can be bound, and nobody says that it will be covered.",
        (Edit("contain/mounts.py", "                pseudo.refuse_to_bind(fd, source)\n", "                pass\n"),),
        ("test_levers.py::test_a_procfs_is_not_bound[/proc]",),
    ),
    Mutant(
        "set-user-id-unsaid",
        "Nothing warns of set-user-ID files that the host's users could run.",
        (Edit("contain/warn.py", "    return not above\n", "    return False\n"),),
        ("test_escapes.py::test_no_warning_where_they_could_not[mode of the root]",),
    ),
    Mutant(
        "new-privileges",
        "no_new_privs is not set.",
        (Edit("contain/plan.py", "*([] if options.allow_setuid else [security.NoNewPrivileges()]),", "*[],"),),
        ("test_defaults.py::test_no_new_privileges",),
    ),
    Mutant(
        "bounding-set-kept",
        "The program has all of root's capabilities.",
        (
            Edit("contain/security.py", "        drop_bounding_set(self.mask, self.last)\n", "        pass\n"),
            Edit("contain/security.py", "linux.capset(self.mask & linux.capget())", "linux.capset(linux.capget())"),
        ),
        ("test_defaults.py::test_the_program_has_nine_capabilities_and_can_gain_none",),
    ),
    Mutant(
        "init-keeps-capabilities",
        "Process 1 keeps the host root's capabilities.",
        (
            Edit("contain/security.py", "        linux.capset(0)\n", "        pass\n"),
            Edit("contain/security.py", "        drop_bounding_set(0, self.last)\n", "        pass\n"),
        ),
        ("test_defaults.py::test_the_init_has_no_capability",),
    ),
    Mutant(
        "groups-kept",
        "The caller's supplementary groups stay with the program.",
        (Edit("contain/security.py", "posix.setgroups([])", "posix.setgroups([0])"),),
        ("test_chroot.py::test_user_is_the_one_named[1234:2345]",),
    ),
    Mutant(
        "hosts-ipc",
        "System V IPC is the host's.",
        (Edit("contain/namespace.py", "linux.CLONE_NEWUTS | linux.CLONE_NEWIPC |", "linux.CLONE_NEWUTS |"),),
        ("test_defaults.py::test_each_namespace_is_its_own[ipc]",),
    ),
    Mutant(
        "cgroups-by-name",
        "The program sees the host's names of its cgroups.",
        (Edit("contain/namespace.py", "linux.unshare(linux.CLONE_NEWCGROUP)", "pass"),),
        ("test_defaults.py::test_cgroup_paths_of_the_host_are_out_of_sight",),
    ),
    Mutant(
        "init-dumpable",
        "The machine code of process 1 asks whether it is dumpable, instead of forbidding it.",
        (Edit("contain/stub.py", "b89d000000bf0400000031f60f05", "b89d000000bf0300000031f60f05"),),
        ("test_defaults.py::test_the_init_tells_nothing_of_the_host",),
    ),
    Mutant(
        "executed-by-python",
        "The program is executed from the interpreter, which a link in the root can then name.",
        (
            Edit(
                "contain/child.py",
                "        linux.execveat(inherited, plan.argv, plan.environment)\n",
                "        self._say(stub.READY, 0)\n"
                '        for fd in [int(name) for name in posix.listdir("/proc/self/fd")]:\n'
                "            try:\n"
                "                posix.set_inheritable(fd, fd < 3)\n"
                "            except OSError:\n"
                "                pass\n"
                '        given = dict([entry.split(b"=", 1) for entry in plan.environment])\n'
                "        for path in plan.paths:\n"
                "            try:\n"
                "                posix.execve(path, plan.argv, given)\n"
                "            except FileNotFoundError:\n"
                "                pass\n",
            ),
        ),
        ("test_escapes.py::test_a_link_to_the_launchers_own_program_does_not_run[executed-/proc/self/exe]",),
    ),
)
