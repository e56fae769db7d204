/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The selector of a SO_REUSEPORT group. The program sees the payload of the datagram from offset 0
 * and the network header through SKF_NET_OFF; a load outside of the packet ends it with 0, so an
 * empty datagram is the main loop's.
 */
#include "mode_selector.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#include "../address.h"
#include "../packet.h"

/* Where the source address begins in its header. */
enum { SOURCE_V4 = 12, SOURCE_V6 = 8 };

/* 2^32 divided by the golden ratio, odd: its product's upper half depends on every bit. */
#define HASH_FACTOR UINT32_C(2654435761)

/* A = the 32-bit word of the network header at that offset. */
static struct sock_filter load_header(unsigned offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                        (uint32_t)(SKF_NET_OFF + (int)offset));
}

/* A = the words of the source address, folded into one. */
static unsigned short write_source(struct sock_filter *program, uint8_t family)
{
    unsigned short n = 0;
    if (family == ADDRESS_V4) {
        program[n++] = load_header(SOURCE_V4);
        return n;
    }
    program[n++] = load_header(SOURCE_V6);
    for (unsigned word = 1; word < 4; word++) {
        program[n++] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
        program[n++] = load_header(SOURCE_V6 + 4 * word);
        program[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0);
    }
    return n;
}

unsigned short mode_selector_write(struct sock_filter program[MODE_SELECTOR_SIZE], uint8_t family,
                                   unsigned threads)
{
    unsigned short n = 0;
    assert(threads >= 1);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 7);
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MODE_CLIENT, 1, 0);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    n = (unsigned short)(n + write_source(program + n, family));
    program[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, HASH_FACTOR);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, threads);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
    assert(n <= MODE_SELECTOR_SIZE);
    return n;
}

int mode_selector_attach(int fd, uint8_t family, unsigned threads)
{
    struct sock_filter filter[MODE_SELECTOR_SIZE];
    struct sock_fprog program = {.filter = filter};
    program.len = mode_selector_write(filter, family, threads);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0
               ? 0
               : errno;
}

int mode_selector_drop_all(int fd)
{
    struct sock_filter filter[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_fprog program = {.len = 1, .filter = filter};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : errno;
}
