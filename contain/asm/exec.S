# The last step before the program: the program is executed from here and not from Python.
#
# A root file system may hold /bin/sh -> /proc/self/exe or #!/proc/self/exe. Executed from Python, those would run the
# host's interpreter, as root, with the loader of that root. Executed from here they name this file, which has just taken
# its own execute bits away: EACCES, without a race. It may as well hold /bin/sh -> /proc/self/fd/9: of what the launcher
# and its caller have open nothing is left here but what the program gets, and the report pipe.
#
# Says READY under a name that nobody can guess: as long as the process bears it, nothing was executed. Then tries the
# paths one after the other as execvp(3) does; when none can be executed, reports {step, errno}.
        .globl  _start
        .text
_start: mov     $91, %eax               # fchmod(self, 0)
        mov     self(%rip), %edi
        xor     %esi, %esi
        syscall
        mov     %rax, %r12
        test    %rax, %rax
        jnz     report
        mov     $436, %eax              # close_range(keep, errfd - 1, 0)
        mov     keep(%rip), %edi
        mov     errfd(%rip), %esi
        dec     %esi
        xor     %edx, %edx
        syscall
        mov     %rax, %r12
        test    %rax, %rax
        jnz     report
        mov     $436, %eax              # close_range(errfd + 1, ~0, 0)
        mov     errfd(%rip), %edi
        inc     %edi
        mov     $-1, %esi
        xor     %edx, %edx
        syscall
        mov     %rax, %r12
        test    %rax, %rax
        jnz     report
        mov     $72, %eax               # fcntl(errfd, F_SETFD, FD_CLOEXEC)
        mov     errfd(%rip), %edi
        mov     $2, %esi
        mov     $1, %edx
        syscall
        mov     %rax, %r12
        test    %rax, %rax
        jnz     report
        mov     $157, %eax              # prctl(PR_SET_NAME, name)
        mov     $15, %edi
        lea     name(%rip), %rsi
        syscall
        mov     %rax, %r12
        test    %rax, %rax
        jnz     report
        mov     $1, %eax                # write(errfd, {READY, 0}, 8)
        mov     errfd(%rip), %edi
        lea     ready(%rip), %rsi
        mov     $8, %edx
        syscall
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
ready:  .long   0xfffffffd, 0
self:                                   # appended: .long self, keep, errfd, step; 16 bytes of name; paths, each ended by NUL; NUL
        .set    keep, self + 4
        .set    errfd, self + 8
        .set    step, self + 12
        .set    name, self + 16
        .set    paths, self + 32
