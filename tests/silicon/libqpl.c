/* libqpl with an accelerator: the hardware path, computed by the library's software path.
 *
 * Prototypes and the job follow qpl/c_api/job.h and defs.h (qpl 1.9.0). The accelerator wants the end of a stream that
 * is said to be whole, which software does not miss. */

#include "silicon.h"

#define COUNTER "sys/bus/event_source/devices/iax1/recorded"

/* qpl_path_t, qpl_operation, QPL_FLAGS, qpl_status. */
enum { QPL_PATH_HARDWARE = 1, QPL_PATH_SOFTWARE = 2 };
enum { QPL_DECOMPRESS, QPL_COMPRESS };
enum { QPL_FIRST = 1, QPL_LAST = 2, QPL_GZIP_MODE = 8, QPL_DYNAMIC_HUFFMAN = 0x2000, QPL_ZLIB_MODE = 0x80000 };
enum { QPL_OK = 0, QPL_QUEUES_ARE_BUSY = 5, QPL_BAD_EOF = 215, QPL_PAGE_FAULT = 303 };
enum { FAULT_PERIOD = 5 };

/* The beginning of `qpl_job`. */
struct job {
    const uint8_t *next_in;
    uint32_t available_in, total_in;
    uint8_t *next_out;
    uint32_t available_out, total_out, operation, flags;
};

/* A job that was made for the hardware path. */
struct known {
    const struct job *job;
    struct known *next;
};

static struct known *first;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

uint32_t qpl_get_job_size(uint32_t path, uint32_t *size);
uint32_t qpl_init_job(uint32_t path, struct job *job);
uint32_t qpl_execute_job(struct job *job);
uint32_t qpl_submit_job(struct job *job);

static int show(char *text, size_t room, unsigned long jobs)
{
    struct timespec now;
    unsigned long nanoseconds;

    clock_gettime(CLOCK_MONOTONIC, &now);
    nanoseconds = (unsigned long)now.tv_sec * 1000000000 + (unsigned long)now.tv_nsec;
    return snprintf(text, room, "%20lu %20lu %20lu\n", jobs, nanoseconds, nanoseconds);
}

static unsigned long shown(const char *text)
{
    return strtoul(text, NULL, 10);
}

/* Whether a job is for the hardware path; `path` is what it is from now on, 0 for what it was. */
static bool on_hardware(const struct job *job, uint32_t path)
{
    struct known *found;

    pthread_mutex_lock(&guard);
    for (found = first; found && found->job != job; found = found->next)
        ;
    if (found && path == QPL_PATH_SOFTWARE)
        found->job = NULL;
    if (!found && path == QPL_PATH_HARDWARE) {
        found = calloc(1, sizeof *found);
        *found = (struct known){.job = job, .next = first};
        first = found;
    }
    pthread_mutex_unlock(&guard);
    return found && found->job;
}

static uint32_t computed_on(uint32_t path)
{
    return path == QPL_PATH_HARDWARE && !way("absent") ? QPL_PATH_SOFTWARE : path;
}

uint32_t qpl_get_job_size(uint32_t path, uint32_t *size)
{
    return REAL(qpl_get_job_size)(computed_on(path), size);
}

uint32_t qpl_init_job(uint32_t path, struct job *job)
{
    uint32_t status = REAL(qpl_init_job)(computed_on(path), job);

    if (status == QPL_OK)
        on_hardware(job, path);
    return status;
}

/* Whether something that happens to every so many-th call happens to this one. */
static bool now_and_then(unsigned period)
{
    static atomic_uint calls;

    return ++calls % period == 0;
}

/* What the device has to say before it does a job. */
static uint32_t refused(const struct job *job)
{
    if (!on_hardware(job, 0))
        return QPL_OK;
    if (way("full") || (way("filling") && booked >= MIDDLE))
        return QPL_QUEUES_ARE_BUSY;
    /* For codes made for the data it is read twice. */
    book(COUNTER, job->operation == QPL_COMPRESS && job->flags & QPL_DYNAMIC_HUFFMAN ? 2 : 1);
    return way("faults") && now_and_then(FAULT_PERIOD) ? QPL_PAGE_FAULT : QPL_OK;
}

/* Bytes before the DEFLATE of a job (RFC 1950, RFC 1952). */
static uint32_t header(struct job given)
{
    const uint8_t *source = given.next_in;

    if (given.flags & QPL_ZLIB_MODE)
        return 2;
    if (!(given.flags & QPL_GZIP_MODE))
        return 0;
    return given.available_in > 12 && source[3] & 4 ? 12 + (source[10] | source[11] << 8) : 10;
}

/* What became of a job that was given as it was. */
static uint32_t completed(const struct job *job, struct job given, uint32_t status)
{
    bool whole = (given.flags & (QPL_FIRST | QPL_LAST)) == (QPL_FIRST | QPL_LAST);

    if (status != QPL_OK || given.operation != QPL_DECOMPRESS || !whole || !on_hardware(job, 0))
        return status;
    return deflate_length(given.next_in + header(given), given.available_in - header(given)) ? QPL_OK : QPL_BAD_EOF;
}

uint32_t qpl_execute_job(struct job *job)
{
    struct job given = *job;
    uint32_t status = refused(job);

    return status == QPL_OK ? completed(job, given, REAL(qpl_execute_job)(job)) : status;
}

uint32_t qpl_submit_job(struct job *job)
{
    struct job given = *job;
    uint32_t status = refused(job);

    return status == QPL_OK ? completed(job, given, REAL(qpl_submit_job)(job)) : status;
}
