# PID 1 of every container, after Python has set it up and stepped aside.
#
# Given: descriptor 0 the read end of the life pipe (its end of file is the launcher's death), 1 the write end of the
# ready pipe, all signals blocked, SIGCHLD ignored (so that orphans reap themselves), no capabilities.
# It takes its own file's execute bits away, so that nobody inside can run /proc/1/exe, is not dumpable, so that nobody
# inside can open its descriptors, and then, for each byte it reads, throws away what signals are pending and says R.
        .globl  _start
        .text
_start: mov     $157, %eax              # prctl(PR_SET_NAME, "init")
        mov     $15, %edi
        lea     name(%rip), %rsi
        syscall
        mov     $157, %eax              # prctl(PR_SET_DUMPABLE, 0)
        mov     $4, %edi
        xor     %esi, %esi
        syscall
        test    %rax, %rax
        jnz     quit
        mov     $91, %eax               # fchmod(self, 0)
        mov     self(%rip), %edi
        xor     %esi, %esi
        syscall
        test    %rax, %rax
        jnz     quit
        mov     $436, %eax              # close_range(2, ~0, 0)
        mov     $2, %edi
        mov     $-1, %esi
        xor     %edx, %edx
        syscall
        test    %rax, %rax
        jnz     quit
        sub     $64, %rsp
        movq    $-1, (%rsp)             # a full signal set
        xor     %ebx, %ebx
        mov     %rbx, 8(%rsp)           # a time limit of zero
        mov     %rbx, 16(%rsp)
        movb    $'R', 24(%rsp)
ready:  mov     $1, %eax                # write(1, "R", 1)
        mov     $1, %edi
        lea     24(%rsp), %rsi
        mov     $1, %edx
        syscall
        cmp     $1, %rax
        jne     quit
        xor     %eax, %eax              # read(0, byte, 1)
        xor     %edi, %edi
        lea     32(%rsp), %rsi
        mov     $1, %edx
        syscall
        cmp     $1, %rax
        jne     quit
drain:  mov     $128, %eax              # rt_sigtimedwait(all, none, zero, 8)
        mov     %rsp, %rdi
        xor     %esi, %esi
        lea     8(%rsp), %rdx
        mov     $8, %r10d
        syscall
        test    %rax, %rax
        jg      drain
        jmp     ready
quit:   mov     $231, %eax              # exit_group(0)
        xor     %edi, %edi
        syscall
name:   .asciz  "init"
self:                                   # here the launcher appends: .long self
