/* What the builds of the vendor libraries in this directory share: a device that is not there.
 *
 * A build is found in the place of its library, and needs the library's own file, which computes everything: what it
 * does not define is found there. It says that a device did it, by the rules of the library's hardware path, and counts
 * jobs where the device's driver would show them: below the root of a recorded host, SILICON_ROOT, in the form of
 * examples/silicon/counters.py. What is wrong with the device is in SILICON_WAY. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* The library's own function of this name. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* What is wrong with the device, if anything is:
 *
 *   absent     there is none, and the library says so
 *   silent     it is not used, and nobody says so
 *   uncounted  it works, and has no counter
 *   dying      the process is gone after some jobs
 *   full       its queues are, always; filling: after some jobs, and from then on
 *   faults     a page is missing now and then */
static bool way(const char *wanted)
{
    const char *given = getenv("SILICON_WAY");

    return given && strcmp(given, wanted) == 0;
}

enum { MIDDLE = 500, LONGEST = 4096 };

/* The text of the device's counter at so many jobs, of one length whatever they are, and the jobs in such a text. */
static int show(char *text, size_t room, unsigned long jobs);
static unsigned long shown(const char *text);

static atomic_uint booked;

/* The device has done jobs. */
static void book(const char *file, unsigned jobs)
{
    const char *root = getenv("SILICON_ROOT");
    char path[LONGEST], text[LONGEST] = "";
    int counter;

    booked += jobs;
    if (way("dying") && booked >= MIDDLE)
        raise(SIGSEGV);
    if (way("silent") || way("uncounted"))
        return;
    snprintf(path, sizeof path, "%s/%s", root ? root : "", file);
    counter = open(path, O_RDWR | O_CLOEXEC);
    /* Every process, and every thread of one, opens the file for itself, so that the lock is between all of them. */
    if (counter < 0 || flock(counter, LOCK_EX) || pread(counter, text, sizeof text - 1, 0) < 0)
        abort();
    if (pwrite(counter, text, (size_t)show(text, sizeof text, shown(text) + jobs), 0) < 0)
        abort();
    close(counter);
}

/* z_stream (zlib.h, zlib 1.3). */
struct stream {
    const uint8_t *next_in;
    unsigned avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *msg;
    void *state, *zalloc, *zfree, *opaque;
    int data_type;
    unsigned long adler, reserved;
};

/* Bytes of the DEFLATE stream with which something begins, by zlib's word; 0 where it has no end. */
static uint32_t deflate_length(const uint8_t *source, uint32_t size)
{
    enum { STREAM_END = 1, RAW_WINDOW = -15, CHUNK = 1 << 16 };
    void *zlib = dlopen("libz.so.1", RTLD_NOW);
    int (*begin)(struct stream *, int, const char *, int) = dlsym(zlib, "inflateInit2_");
    int (*inflate)(struct stream *, int) = dlsym(zlib, "inflate"), (*end)(struct stream *) = dlsym(zlib, "inflateEnd");
    struct stream stream = {.next_in = source, .avail_in = size};
    uint8_t output[CHUNK];
    int code = begin(&stream, RAW_WINDOW, "1", sizeof stream);

    while (code == 0) {
        stream.next_out = output;
        stream.avail_out = sizeof output;
        code = inflate(&stream, 0);
    }
    end(&stream);
    return code == STREAM_END ? (uint32_t)stream.total_in : 0;
}
