# The last step before the program: the program is executed from here and not from Python.
#
# A root file system may hold /bin/sh -> /proc/self/exe or #!/proc/self/exe. Executed from Python, those would run the
# host's interpreter, as root, with the loader of that root. Executed from here they name this file, which has just taken
# its own execute bits away: EACCES, without a race.
# Tries the paths one after the other as execvp(3) does; when none can be executed, reports {step, errno}.
        .globl  _start
        .text
_start: mov     $91, %eax               # fchmod(self, 0)
        mov     self(%rip), %edi
        xor     %esi, %esi
        syscall
        mov     %rax, %r12
        test    %rax, %rax
        jnz     report
        mov     $436, %eax              # close_range(keep, ~0, CLOSE_RANGE_CLOEXEC)
        mov     keep(%rip), %edi
        mov     $-1, %esi
        mov     $4, %edx
        syscall
        mov     %rax, %r12
        test    %rax, %rax
        jnz     report
        mov     $-2, %r12               # ENOENT, unless a path says otherwise
        lea     paths(%rip), %rbx
next:   cmpb    $0, (%rbx)
        je      report
        mov     %rbx, %rdi              # execve(path, argv, envp)
        mov     (%rsp), %rax
        lea     8(%rsp), %rsi
        lea     8(%rsi,%rax,8), %rdx
        mov     $59, %eax
        syscall
        cmp     $-2, %rax               # ENOENT, ENOTDIR: look further
        je      skip
        cmp     $-20, %rax
        je      skip
        mov     %rax, %r12
        cmp     $-13, %rax              # EACCES: look further, but remember it
        jne     report
skip:   inc     %rbx
        cmpb    $0, -1(%rbx)
        jne     skip
        jmp     next
report: neg     %r12
        shl     $32, %r12               # the errno above, the step below: eight bytes, one write
        mov     step(%rip), %eax
        or      %rax, %r12
        push    %r12
        mov     $1, %eax
        mov     errfd(%rip), %edi
        mov     %rsp, %rsi
        mov     $8, %edx
        syscall
        mov     $231, %eax              # exit_group(127)
        mov     $127, %edi
        syscall
self:                                   # here the launcher appends: .long self, keep, errfd, step; paths, each ended by NUL; NUL
        .set    keep, self + 4
        .set    errfd, self + 8
        .set    step, self + 12
        .set    paths, self + 16
