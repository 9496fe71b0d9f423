/* libqat with one compression instance and no device: zlib does its jobs. Loaded before libqatzip (LD_PRELOAD) it lets
 * libqatzip itself run as it does on silicon: what it gives to a device, in how many requests, and what it does not.
 *
 * LIBQAT_ABSENT: there is no device. LIBQAT_SECTION: nobody may start one. LIBQAT_LIFE: jobs after which it takes no
 * more. LIBQAT_STATISTICS=0: built without. Prototypes and layouts follow cpa.h, cpa_dc.h and qae_mem.h (qatlib 24.02.0,
 * x86-64); of a structure there is what is used. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, FAIL = -1, RETRY = -2, ADLER32 = 2, FLUSH_FINAL = 1, WAITING = 4096 };

struct flat {
    uint32_t size;
    uint8_t *data;
};
struct list {
    uint32_t count;
    struct flat *buffers;
};
struct results {
    int status;
    uint32_t produced, consumed, checksum, end_of_last_block, unused;
};
struct statistics {
    uint64_t compressions, refused, compressed, compression_errors, recovered;
    uint64_t decompressions, not_taken, decompressed, decompression_errors;
};
typedef void (*callback)(void *tag, int status);
struct session {
    uint32_t checksum;
    callback call;
};

/* zlib.h (zlib 1.3), of the zlib that libqatzip needs anyway. */
struct stream {
    const uint8_t *next_in;
    unsigned available_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned available_out;
    unsigned long total_out;
    void *internal[5];
    int type;
    unsigned long adler, reserved;
};
#define ZLIB(name) ((long (*)())dlsym(zlib, #name))
enum { FULL_FLUSH = 3, FINISH = 4, STREAM_END = 1, RAW = -15 };
static void *zlib;

static struct statistics counted;
static atomic_uint jobs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    callback call;
    void *tag;
    int status;
} answers[WAITING];
static unsigned first, behind;

int icp_sal_userIsQatAvailable(void)
{
    zlib = dlopen("libz.so.1", RTLD_NOW);
    return getenv("LIBQAT_ABSENT") == NULL;
}

int icp_sal_userStartMultiProcess(const char *section, int limited)
{
    (void)section, (void)limited;
    return getenv("LIBQAT_SECTION") == NULL ? SUCCESS : FAIL;
}

int cpaDcGetNumInstances(uint16_t *count)
{
    *count = getenv("LIBQAT_ABSENT") == NULL;
    return SUCCESS;
}

int cpaDcGetInstances(uint16_t count, void **instances)
{
    static char instance;

    if (count)
        instances[0] = &instance;
    return SUCCESS;
}

/* CpaDcInstanceCapabilities: every one that there is. */
int cpaDcQueryCapabilities(void *instance, uint32_t capabilities[38])
{
    (void)instance;
    for (int at = 0; at < 38; at++)
        capabilities[at] = 1;
    return SUCCESS;
}

int cpaDcBufferListGetMetaSize(void *instance, uint32_t buffers, uint32_t *size)
{
    (void)instance, (void)buffers;
    *size = 64;
    return SUCCESS;
}

int cpaDcGetNumIntermediateBuffers(void *instance, uint16_t *count)
{
    (void)instance;
    *count = 0;
    return SUCCESS;
}

int cpaDcGetSessionSize(void *instance, void *setup, uint32_t *size, uint32_t *context)
{
    (void)instance, (void)setup, (void)context;
    *size = sizeof(struct session);
    return SUCCESS;
}

/* The checksum is the twelfth number of CpaDcSessionSetupData. */
int cpaDcInitSession(void *instance, struct session *session, uint32_t *setup, void *context, callback call)
{
    (void)instance, (void)context;
    *session = (struct session){setup[11], call};
    return SUCCESS;
}

int cpaDcDeflateCompressBound(void *instance, int codes, uint32_t size, uint32_t *bound)
{
    (void)instance, (void)codes;
    *bound = size + size / 8 + 1024;
    return SUCCESS;
}

static int answer(struct session *session, void *tag, int status)
{
    pthread_mutex_lock(&lock);
    answers[behind % WAITING].call = session->call;
    answers[behind % WAITING].tag = tag;
    answers[behind++ % WAITING].status = status;
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

int icp_sal_DcPollInstance(void *instance, uint32_t quota)
{
    int polled = RETRY;

    (void)instance, (void)quota;
    for (;;) {
        pthread_mutex_lock(&lock);
        if (first == behind) {
            pthread_mutex_unlock(&lock);
            return polled;
        }
        unsigned at = first++ % WAITING;
        callback call = answers[at].call;
        void *tag = answers[at].tag;
        int status = answers[at].status;
        pthread_mutex_unlock(&lock);
        call(tag, status);
        polled = SUCCESS;
    }
}

static int dead(void)
{
    const char *life = getenv("LIBQAT_LIFE");

    return life != NULL && atomic_fetch_add(&jobs, 1) >= (unsigned)atoi(life);
}

static void count(uint64_t *completed)
{
    const char *statistics = getenv("LIBQAT_STATISTICS");

    if (statistics == NULL || *statistics != '0')
        __atomic_fetch_add(completed, 1, __ATOMIC_SEQ_CST);
}

static uint32_t checksum(struct session *session, const uint8_t *data, unsigned size)
{
    return session->checksum == ADLER32 ? ZLIB(adler32)(1L, data, size) : ZLIB(crc32)(0L, data, size);
}

int cpaDcCompressData2(void *instance, struct session *session, struct list *from, struct list *to, int *operation,
                       struct results *results, void *tag)
{
    struct flat *source = from->buffers, *room = to->buffers;
    struct stream stream = {source->data, source->size, 0, room->data, room->size};
    int final = operation[0] == FLUSH_FINAL, ended;

    (void)instance;
    if (dead())
        return FAIL;
    ZLIB(deflateInit2_)(&stream, 1, 8, RAW, 8, 0, "1", (int)sizeof stream);
    ended = ZLIB(deflate)(&stream, final ? FINISH : FULL_FLUSH);
    ZLIB(deflateEnd)(&stream);
    *results = (struct results){.produced = stream.total_out, .consumed = stream.total_in};
    results->checksum = checksum(session, source->data, stream.total_in);
    if (stream.available_in || (final && ended != STREAM_END))
        return answer(session, tag, FAIL);
    count(&counted.compressed);
    return answer(session, tag, SUCCESS);
}

int cpaDcDecompressData(void *instance, struct session *session, struct list *from, struct list *to,
                        struct results *results, int flush, void *tag)
{
    struct flat *source = from->buffers, *room = to->buffers;
    struct stream stream = {source->data, source->size, 0, room->data, room->size};
    int ended;

    (void)instance, (void)flush;
    if (dead())
        return FAIL;
    ZLIB(inflateInit2_)(&stream, RAW, "1", (int)sizeof stream);
    ended = ZLIB(inflate)(&stream, FINISH);
    ZLIB(inflateEnd)(&stream);
    *results = (struct results){.produced = stream.total_out, .consumed = stream.total_in};
    results->checksum = checksum(session, room->data, stream.total_out);
    results->end_of_last_block = ended == STREAM_END;
    if (ended != STREAM_END)
        return answer(session, tag, FAIL);
    count(&counted.decompressed);
    return answer(session, tag, SUCCESS);
}

int cpaDcGetStats(void *instance, struct statistics *statistics)
{
    (void)instance;
    *statistics = counted;
    return SUCCESS;
}

void *qaeMemAllocNUMA(size_t size, int node, size_t alignment)
{
    void *memory = NULL;

    (void)node;
    return posix_memalign(&memory, alignment < sizeof memory ? sizeof memory : alignment, size) ? NULL : memory;
}

void qaeMemFreeNUMA(void **memory)
{
    free(*memory);
    *memory = NULL;
}

uint64_t qaeVirtToPhysNUMA(void *memory)
{
    return (uintptr_t)memory;
}

#define NOTHING(name) \
    int name(void) { return SUCCESS; }
NOTHING(icp_sal_userStop)
NOTHING(icp_sal_poll_device_events)
NOTHING(cpaDcInstanceGetInfo2)
NOTHING(cpaDcInstanceSetNotificationCb)
NOTHING(cpaDcQueryCapabilityByType)
NOTHING(cpaDcRemoveSession)
NOTHING(cpaDcSetAddressTranslation)
NOTHING(cpaDcStartInstance)
NOTHING(cpaDcStopInstance)

#define REFUSED(name) \
    int name(void) { return FAIL; }
REFUSED(cpaDcCompressDataWithDict)
REFUSED(cpaDcDecompressDataWithDict)
REFUSED(cpaDcGetMetaSizeForSrcBuffWithDict)
REFUSED(cpaDcLZ4CompressBound)
REFUSED(cpaDcLZ4SCompressBound)
REFUSED(cpaDcZstdCompressBound)
