/* libqatzip with a device: requests, members and totals as its hardware path has them.
 *
 * Prototypes, parameters and sessions follow qatzip.h (QATzip 2.0.0); what goes to the device follows qzCompressCrcExt,
 * qzDecompressCrcExt, isQATProcessable and checkHeader (QATzip 1.3.1, src/qatzip.c, src/qatzip_utils.c), as they are
 * told in multifd/codec/silicon/libqatzip_routing.py. Streams are not given to the device. */

#include "silicon.h"

#define COUNTER "sys/kernel/debug/qat_4xxx_0000:6b:00.0/fw_counters"

enum { QZ_OK = 0, QZ_BUF_ERROR = -3, QZ_DATA_ERROR = -4 };
enum { QZ_SW_EXECUTION = 1 << 4 };
enum format { FOUR_B, GZIP, GZIP_EXT, RAW, ZLIB };
enum { PLAIN_HEADER = 10, EXT_HEADER = 24, GZIP_TRAILER = 8, SIZES = 16, NEXT_HEADER = 18 };

/* QzSession_T. */
struct session {
    long hw_session_stat;
    int thd_sess_stat;
    void *internal;
    unsigned long total_in, total_out;
};

/* QzSessionParamsDeflateExt_T. */
struct parameters {
    uint32_t direction, comp_lvl;
    uint8_t comp_algorithm;
    uint32_t max_forks;
    uint8_t sw_backup;
    uint32_t hw_buff_sz, strm_buff_sz, input_sz_thrshold, req_cnt_thrshold, wait_cnt_thrshold, polling_mode;
    uint32_t is_sensitive_mode, huffman_hdr, data_fmt;
    uint8_t stop_decompression_stream_end, zlib_format;
};

/* What we know of a session. */
struct known {
    const struct session *session;
    long without; /* hw_session_stat as the library has it, which finds no device */
    uint32_t piece, threshold;
    enum format format;
    struct known *next;
};

static struct known *first;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

int qzInit(struct session *, unsigned char);
int qzSetupSessionDeflateExt(struct session *, const struct parameters *);
int qzClose(struct session *);
int qzCompressExt(struct session *, const uint8_t *, uint32_t *, uint8_t *, uint32_t *, uint32_t, uint64_t *);
int qzDecompressExt(struct session *, const uint8_t *, uint32_t *, uint8_t *, uint32_t *, uint64_t *);

static int show(char *text, size_t room, unsigned long jobs)
{
    return snprintf(text, room, "AE            Requests           Responses\n 0: %19lu %19lu\n", jobs, jobs);
}

static unsigned long shown(const char *text)
{
    const char *line = strchr(text, '\n');

    return line ? strtoul(strchr(line, ':') + 1, NULL, 10) : 0;
}

/* A session's record; with `fresh` one is made where there is none. */
static struct known *known(const struct session *session, bool fresh)
{
    struct known *found;

    pthread_mutex_lock(&guard);
    for (found = first; found && found->session != session; found = found->next)
        ;
    if (!found && fresh) {
        found = calloc(1, sizeof *found);
        *found = (struct known){.session = session, .next = first};
        first = found;
    }
    pthread_mutex_unlock(&guard);
    return found;
}

int qzInit(struct session *session, unsigned char backup)
{
    int code = REAL(qzInit)(session, way("absent") ? backup : 1);

    if (code < 0 || way("absent"))
        return code;
    known(session, true)->without = session->hw_session_stat;
    session->hw_session_stat = QZ_OK;
    return QZ_OK;
}

int qzSetupSessionDeflateExt(struct session *session, const struct parameters *wanted)
{
    struct known *own = known(session, false);
    struct parameters given = *wanted;
    int code;

    if (!own)
        return REAL(qzSetupSessionDeflateExt)(session, wanted);
    given.sw_backup = 1;
    session->hw_session_stat = own->without;
    code = REAL(qzSetupSessionDeflateExt)(session, &given);
    if (code < 0)
        return code;
    own->without = session->hw_session_stat;
    own->piece = given.hw_buff_sz;
    own->threshold = given.input_sz_thrshold;
    own->format = given.data_fmt == RAW && given.zlib_format ? ZLIB : (enum format)given.data_fmt;
    session->hw_session_stat = QZ_OK;
    return QZ_OK;
}

int qzClose(struct session *session)
{
    struct known *own = known(session, false);

    if (own)
        session->hw_session_stat = own->without;
    return REAL(qzClose)(session);
}

/* The library's software, which the library is then told that it is: with a device it would look for an instance. */
static int compressed(struct session *session, const struct known *own, const uint8_t *source, uint32_t *read,
                      uint8_t *output, uint32_t *written, uint32_t last, uint64_t *extended)
{
    int code;

    session->hw_session_stat = own->without;
    code = REAL(qzCompressExt)(session, source, read, output, written, last, extended);
    session->hw_session_stat = QZ_OK;
    return code;
}

static int decompressed(struct session *session, const struct known *own, const uint8_t *source, uint32_t *read,
                        uint8_t *output, uint32_t *written, uint64_t *extended)
{
    int code;

    session->hw_session_stat = own->without;
    code = REAL(qzDecompressExt)(session, source, read, output, written, extended);
    session->hw_session_stat = QZ_OK;
    return code;
}

static void say_software(uint64_t *extended)
{
    if (extended)
        *extended |= QZ_SW_EXECUTION;
}

static void total(struct session *session, uint32_t read, uint32_t written)
{
    if (way("silent"))
        return;
    session->total_in += read;
    session->total_out += written;
}

int qzCompressExt(struct session *session, const uint8_t *source, uint32_t *read, uint8_t *output, uint32_t *written,
                  uint32_t last, uint64_t *extended)
{
    const struct known *own = known(session, false);
    uint32_t size = *read, room = *written;
    int code = QZ_OK;

    if (!own)
        return REAL(qzCompressExt)(session, source, read, output, written, last, extended);
    if (size < own->threshold) {
        code = compressed(session, own, source, read, output, written, last, extended);
        say_software(extended);
        return code;
    }
    *read = *written = 0;
    while (code >= 0 && *read < size) {
        uint32_t piece = size - *read < own->piece ? size - *read : own->piece, made = room - *written;
        bool ends = own->format != RAW || (last && *read + piece == size);

        code = compressed(session, own, source + *read, &piece, output + *written, &made, ends, extended);
        book(COUNTER, 1);
        if (code >= 0) {
            *read += piece;
            *written += made;
        }
    }
    if (code >= 0)
        total(session, *read, *written);
    return code;
}

static uint32_t number(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* DEST_SZ. */
static uint64_t most(const struct known *own)
{
    return 9 * (uint64_t)own->piece / 8 + 1024;
}

/* findStdGzipFooter: where the first member ends. */
static uint32_t gzip_end(const uint8_t *source, uint32_t size)
{
    for (uint32_t at = NEXT_HEADER; at + 10 <= size; at++)
        if (memcmp(source + at, "\x1f\x8b\x08", 4) == 0)
            return at;
    return size;
}

/* Whether the device is asked for anything of a call (isQATProcessable). */
static bool processable(const struct known *own, const uint8_t *source, uint32_t size)
{
    uint32_t end;

    switch (own->format) {
    case RAW:
        return size >= own->threshold;
    case ZLIB:
        return size >= 2 && (source[0] & 15) == 8 && (source[0] << 8 | source[1]) % 31 == 0 && !(source[1] & 0x20);
    case FOUR_B:
        return size < 4 || number(source) <= most(own);
    case GZIP_EXT:
        return size < EXT_HEADER || number(source + SIZES) >= own->threshold;
    case GZIP:
        break;
    }
    end = gzip_end(source, size);
    return end >= PLAIN_HEADER + GZIP_TRAILER && end - PLAIN_HEADER - GZIP_TRAILER <= most(own)
           && number(source + end - 4) <= own->piece;
}

/* What the next request is given: bytes of the source with what is around them, and the room for its output. */
struct request {
    uint32_t size, room;
};

/* The next request of a call; no size where all that is left goes to software (checkHeader). */
static int next(const struct known *own, const uint8_t *source, uint32_t size, uint32_t room, struct request *request)
{
    uint64_t around = 0, whole = size, output = room < own->piece ? room : own->piece;

    *request = (struct request){0, 0};
    if (room == 0)
        return QZ_BUF_ERROR;
    switch (own->format) {
    case RAW:
        output = room;
        break;
    case ZLIB:
        around = 6;
        break;
    case FOUR_B:
        around = 4;
        if (size >= around)
            whole = around + number(source);
        break;
    case GZIP:
        around = PLAIN_HEADER + GZIP_TRAILER;
        whole = gzip_end(source, size);
        if (size >= around)
            output = number(source + whole - 4);
        break;
    case GZIP_EXT:
        around = EXT_HEADER + GZIP_TRAILER;
        if (size < around)
            break;
        if (memcmp(source + 10, "\x0c\0QZ\x08", 6))
            return QZ_OK;
        whole = around + number(source + SIZES + 4);
        output = number(source + SIZES);
        break;
    }
    if (size < around)
        return QZ_DATA_ERROR;
    if (whole - around > most(own) || output > own->piece)
        return QZ_OK;
    if (whole > size)
        return QZ_DATA_ERROR;
    if (output > room)
        return QZ_BUF_ERROR;
    *request = (struct request){(uint32_t)whole, (uint32_t)output};
    return QZ_OK;
}

/* A request, whose plain gzip header the library skips unseen. */
static int requested(struct session *session, const struct known *own, const uint8_t *source, uint32_t *read,
                     uint8_t *output, uint32_t *written, uint64_t *extended)
{
    uint8_t *member;
    int code;

    book(COUNTER, 1);
    /* The device stops behind the first stream, where software would go on. */
    if (own->format == ZLIB && deflate_length(source + 2, *read - 2))
        *read = 2 + deflate_length(source + 2, *read - 2) + 4;
    if (own->format != GZIP)
        return decompressed(session, own, source, read, output, written, extended);
    member = malloc(*read);
    memcpy(member, source, *read);
    memcpy(member, "\x1f\x8b\x08", 4);
    code = decompressed(session, own, member, read, output, written, extended);
    free(member);
    return code;
}

int qzDecompressExt(struct session *session, const uint8_t *source, uint32_t *read, uint8_t *output, uint32_t *written,
                    uint64_t *extended)
{
    struct known *own = known(session, false);
    uint32_t size = *read, room = *written, reserved = 0;
    int code = QZ_OK;

    if (!own)
        return REAL(qzDecompressExt)(session, source, read, output, written, extended);
    if (own->format == GZIP_EXT && size >= 4 && memcmp(source, "\x1f\x8b\x08", 4) == 0)
        own->format = GZIP;
    if (!processable(own, source, size)) {
        code = decompressed(session, own, source, read, output, written, extended);
        say_software(extended);
        return code;
    }
    *read = *written = 0;
    while (code >= 0 && *read < size) {
        uint32_t piece = size - *read, made = room - *written;
        struct request request;

        code = next(own, source + *read, piece, room - reserved, &request);
        if (code < 0)
            break;
        if (request.size) {
            piece = request.size;
            reserved += request.room;
            code = requested(session, own, source + *read, &piece, output + *written, &made, extended);
        } else {
            code = decompressed(session, own, source + *read, &piece, output + *written, &made, extended);
        }
        if (code < 0)
            break;
        *read += piece;
        *written += made;
        /* What is one request is one call: what it leaves unread is the caller's affair. */
        if (!request.size || own->format == RAW || own->format == ZLIB)
            break;
    }
    if (code >= 0)
        total(session, *read, *written);
    return code;
}
