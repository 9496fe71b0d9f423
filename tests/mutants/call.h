/* One call of a vendor library, and the one condition under which this build of it is wrong.
 *
 * A mutant is found in the place of its library, and needs the library's own file: what it does not define is found
 * there. WHEN is the condition, a C expression of `call`, and counts in one DIRECTION. With SHORT set the output is cut,
 * otherwise a bit of it is flipped; either way the caller is told that all went well. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

enum { PAGE = 4096, LARGE = 256 * 1024 };
enum direction { COMPRESS, DECOMPRESS };

/* What a library can know of a call. Sizes are in bytes. */
struct call {
    enum direction direction;
    uint32_t size;    /* of what is not compressed */
    uint32_t stream;  /* of what is */
    uint32_t level;   /* of compression, 0 where it is not known */
    bool own;         /* in the container that the library's own method of QEMU has */
    bool packet;      /* more than a page, be pages of 4, 16 or 64 KiB */
    uint32_t before;  /* `size` of this thread's call before */
    unsigned packets; /* of this thread so far, this one included */
    unsigned number;  /* among the calls of this process in this direction, from 1 */
    int channel;      /* place of this thread among those that are at work, -1 for the first one of the process */
};

/* The library's own function of this name. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_key_t seat;
static atomic_bool taken[4096];

static void leave(void *own)
{
    atomic_store((atomic_bool *)own, false);
}

__attribute__((constructor)) static void begin(void)
{
    pthread_key_create(&seat, leave);
}

static int channel(void)
{
    static __thread int own = -1;

    if (own < 0 && gettid() != getpid()) {
        do
            own++;
        while (atomic_exchange(&taken[own], true));
        pthread_setspecific(seat, &taken[own]);
    }
    return own;
}

/* How many bytes of output the caller is told of: all of them, unless this call goes wrong and is to be short. */
static uint32_t told(struct call call, uint8_t *output)
{
    static __thread uint32_t before;
    static __thread unsigned packets;
    static atomic_uint numbers[2];
    uint32_t produced = call.direction == COMPRESS ? call.stream : call.size;

    call.packet = call.size > PAGE && call.size != 4 * PAGE && call.size != 16 * PAGE;
    call.before = before;
    call.packets = packets += call.packet;
    call.number = ++numbers[call.direction];
    call.channel = channel();
    before = call.size;
    if (produced == 0 || call.direction != DIRECTION || !(WHEN))
        return produced;
    if (SHORT)
        return produced / 2;
    output[produced / 2] ^= 1;
    return produced;
}
