/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu: tells the CPU of a guest that runs boot.S what to do
 *
 * The guest's memory is a file that both see (memory-backend-file, share=on),
 * and its mailbox is in there. So what is done is done by a virtual CPU, by
 * TCG or KVM, and not by QEMU on behalf of qtest.
 *
 *   cpu FILE load|load32 ADDRESS         print what is there
 *   cpu FILE store|store32 ADDRESS VALUE
 *   cpu FILE add ADDRESS VALUE           locked; print what was there
 *   cpu FILE call ADDRESS                run the code there; print what it returns
 *   cpu FILE loads ADDRESS COUNT PASSES  print the nanoseconds that a load takes
 *   cpu FILE storm ADDRESS COUNT         begin to store over COUNT * 64 bytes
 *   cpu FILE start ADDRESS               run the code there, and do not wait
 *   cpu FILE calm                        make the mailbox's value 0, which ends
 *                                        either; print how many stores it was,
 *                                        or what the code returns
 *
 * Numbers are as strtoull() reads them. Exit status: 0, 1 if the CPU does not
 * answer within the deadline, 2 if it was used wrongly.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAILBOX 0x9000
#define READY 0x600d
#define DEADLINE 60.0 /* seconds */

struct mailbox {
    volatile uint64_t command;
    volatile uint64_t address;
    volatile uint64_t value;
    volatile uint64_t count;
    volatile uint64_t result;
    volatile uint64_t unused;
    volatile uint64_t ready;
};

static const struct {
    const char *name;
    uint64_t command;
    int arguments;
    bool prints;
} commands[] = {
    {"store", 1, 2, false},
    {"load", 2, 1, true},
    {"add", 3, 2, true},
    {"call", 6, 1, true},
    {"store32", 7, 2, false},
    {"load32", 8, 1, true},
};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void
die(int status, const char *why)
{
    fprintf(stderr, "cpu: %s\n", why);
    exit(status);
}

/* It polls without sleeping for a moment, as a measurement may wait for it. */
static void
wait_for(volatile uint64_t *word, uint64_t value)
{
    double start = now();

    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
        double waited = now() - start;

        if (waited > DEADLINE) {
            die(1, "the CPU does not answer");
        }
        if (waited > 0.001) {
            usleep(100);
        }
    }
}

static void
begin(struct mailbox *mailbox, uint64_t command, uint64_t address, uint64_t value, uint64_t count)
{
    wait_for(&mailbox->command, 0);
    mailbox->address = address;
    mailbox->value = value;
    mailbox->count = count;
    __atomic_store_n(&mailbox->command, command, __ATOMIC_RELEASE);
}

static struct mailbox *
mailbox_open(const char *path)
{
    int fd = open(path, O_RDWR);
    char *memory =
        fd < 0 ? MAP_FAILED : mmap(NULL, MAILBOX + 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct mailbox *mailbox;

    if (memory == MAP_FAILED) {
        die(2, "cannot map the guest's memory");
    }
    mailbox = (struct mailbox *)(memory + MAILBOX);
    wait_for(&mailbox->ready, READY);
    return mailbox;
}

static void
run(struct mailbox *mailbox, const char *name, int n, const uint64_t *numbers)
{
    unsigned i;
    double start;

    if (!strcmp(name, "loads") && n == 3) {
        start = now();
        begin(mailbox, 4, numbers[0], numbers[2], numbers[1]);
        wait_for(&mailbox->command, 0);
        printf("%.3f\n", (now() - start) * 1e9 / numbers[1] / numbers[2]);
        return;
    }
    if (!strcmp(name, "storm") && n == 2) {
        begin(mailbox, 5, numbers[0], 1, numbers[1]);
        return;
    }
    if (!strcmp(name, "start") && n == 1) {
        begin(mailbox, 6, numbers[0], 1, 0);
        return;
    }
    if (!strcmp(name, "calm") && n == 0) {
        mailbox->value = 0;
        wait_for(&mailbox->command, 0);
        printf("%" PRIu64 "\n", mailbox->result);
        return;
    }
    for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(name, commands[i].name) || n != commands[i].arguments) {
            continue;
        }
        begin(mailbox, commands[i].command, numbers[0], numbers[1], 0);
        wait_for(&mailbox->command, 0);
        if (commands[i].prints) {
            printf("0x%" PRIx64 "\n", mailbox->result);
        }
        return;
    }
    die(2, "no such command, or not its arguments");
}

int
main(int argc, char **argv)
{
    uint64_t numbers[3] = {0};
    int i;

    if (argc < 3 || argc > 6) {
        die(2, "usage: cpu FILE COMMAND [NUMBER...]");
    }
    for (i = 3; i < argc; i++) {
        char *end;

        numbers[i - 3] = strtoull(argv[i], &end, 0);
        if (end == argv[i] || *end) {
            die(2, "not a number");
        }
    }
    run(mailbox_open(argv[1]), argv[2], argc - 3, numbers);
    return 0;
}
