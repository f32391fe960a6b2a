/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot.S: a guest whose CPU does what a mailbox in its memory tells it to
 *
 * 64 KiB of firmware (-bios) and nothing else: it enters long mode, maps the
 * first 32 GiB one to one, and serves the mailbox at 0x9000, all of it 64 bits:
 *
 *    +0 command   +8 address   +16 value   +24 count   +32 result   +48 ready
 *
 * It takes a command that is not 0, and writes 0 there when it is done. See
 * cpu.c for the commands and for how a test gives them.
 */
    .set MAILBOX, 0x9000
    .set READY, 0x600d

    .code16
    .text
    .globl _start
_start:
start16:
    cli
    data32 lgdt %cs:(gdtr - start16)
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $8, $start32

    .code32
start32:
    mov $16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x8000, %esp
    xor %eax, %eax
    mov $0x1000, %edi               /* the tables' first two pages */
    mov $0x800, %ecx
    rep stosl
    movl $0x2003, 0x1000
    xor %ecx, %ecx                  /* 32 page directories at 0x10000 */
1:  mov %ecx, %eax
    shl $12, %eax
    add $0x10003, %eax
    mov %eax, 0x2000(,%ecx,8)
    inc %ecx
    cmp $32, %ecx
    jb 1b
    xor %ecx, %ecx                  /* 32 GiB of 2 MiB pages */
1:  mov %ecx, %eax
    shl $21, %eax
    or $0x83, %eax
    mov %ecx, %edx
    shr $11, %edx
    mov %eax, 0x10000(,%ecx,8)
    mov %edx, 0x10004(,%ecx,8)
    inc %ecx
    cmp $16384, %ecx
    jb 1b
    mov %cr4, %eax
    or $0x620, %eax                 /* PAE, SSE */
    mov %eax, %cr4
    mov $0x1000, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx           /* EFER.LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    and $0x9fffffff, %eax           /* caches on */
    or $0x80000000, %eax
    mov %eax, %cr0
    ljmp $24, $start64

    .code64
start64:
    mov $MAILBOX, %ebx
    movq $0, (%rbx)
    movq $READY, 48(%rbx)
serve:
    pause
    mov (%rbx), %rax
    test %rax, %rax
    jz serve
    mov 8(%rbx), %rsi
    mov 16(%rbx), %rdi
    mov 24(%rbx), %rcx
    cmp $1, %rax
    je store
    cmp $2, %rax
    je load
    cmp $3, %rax
    je exchange_add
    cmp $4, %rax
    je loads
    cmp $5, %rax
    je storm
    cmp $6, %rax
    je call_it
    cmp $7, %rax
    je store32
    cmp $8, %rax
    je load32
    jmp done
store:
    mov %rdi, (%rsi)
    jmp done
store32:
    mov %edi, (%rsi)
    jmp done
load:
    mov (%rsi), %rdi
    jmp done
load32:
    mov (%rsi), %edi
    jmp done
exchange_add:
    lock xadd %rdi, (%rsi)
    jmp done
loads:                              /* value times: count loads, 64 bytes apart; */
    mov %rcx, %r8                   /* each needs the one before: memory is 0 */
    mov %rsi, %r9
1:  mov %r8, %rcx
    mov %r9, %rsi
2:  mov (%rsi), %rax
    lea 64(%rsi,%rax), %rsi
    dec %rcx
    jnz 2b
    dec %rdi
    jnz 1b
    jmp done
storm:                              /* count stores, again and again, until */
    mov %rcx, %r8                   /* the mailbox's value is 0 */
    mov %rsi, %r9
    xor %edi, %edi
1:  mov %r8, %rcx
    mov %r9, %rsi
2:  mov %rsi, (%rsi)
    add $64, %rsi
    inc %rdi
    dec %rcx
    jnz 2b
    cmpq $0, 16(%rbx)
    jne 1b
    jmp done
call_it:
    call *%rsi
    mov %rax, %rdi
done:
    mov %rdi, 32(%rbx)
    movq $0, (%rbx)
    jmp serve

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        /* 32-bit code */
    .quad 0x00cf93000000ffff        /* data */
    .quad 0x00af9b000000ffff        /* 64-bit code */
gdtr:
    .word 31
    .long gdt

    .org 0xfff0                     /* where a CPU starts */
    .code16
    jmp start16
    .org 0x10000
