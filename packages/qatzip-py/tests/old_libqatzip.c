/* What libqatzip 1.1.2 exports of the functions that qatzip-py calls; data is passed through as it is.
 *
 * With DEVICE a session holds one, and inputs of 1024 bytes and more count as its work: anew with each call, as in
 * 1.1.2 (qzCompressCrcExt, src/qatzip.c, QATzip 1.1.2), or, with GOES_ON, on and on, as since 1.2.0. */

#include <stdint.h>
#include <string.h>

struct common {
    uint32_t direction, level;
    uint8_t algorithm;
    uint32_t forks;
    uint8_t backup;
    uint32_t buffer, stream_buffer, threshold, requests, waits, polling, sensitive;
};
struct parameters {
    struct common common;
    uint32_t huffman, format;
};
struct session {
    long state;
    int thread_state;
    void *internal;
    unsigned long total_in, total_out;
};

int qzGetDefaultsDeflate(struct parameters *parameters)
{
    struct parameters defaults = {{2, 1, 8, 3, 1, 65536, 65536, 1024, 32, 8, 0, 0}, 0, 2};

    memcpy(parameters, &defaults, sizeof defaults);
    return 0;
}

int qzInit(struct session *session, unsigned char backup)
{
    (void)session;
    return !backup && !DEVICE ? -101 : 0;
}

int qzSetupSessionDeflate(struct session *session, struct parameters *parameters)
{
    (void)parameters;
    session->state = DEVICE ? 0 : 11;
    return 0;
}

static int pass(struct session *session, const void *source, uint32_t *read, void *output, uint32_t *written)
{
    if (*read > *written)
        return -2;
    memcpy(output, source, *read);
    *written = *read;
    if (session->state == 0 && *read >= 1024) {
#ifdef GOES_ON
        session->total_in += *read;
#else
        session->total_in = *read;
#endif
    }
    return 0;
}

int qzCompressExt(struct session *session, const void *source, uint32_t *read, void *output, uint32_t *written,
                  uint32_t last, uint64_t *extended)
{
    (void)last, (void)extended;
    return pass(session, source, read, output, written);
}

int qzDecompressExt(struct session *session, const void *source, uint32_t *read, void *output, uint32_t *written,
                    uint64_t *extended)
{
    (void)extended;
    return pass(session, source, read, output, written);
}

uint32_t qzMaxCompressedLength(uint32_t size, struct session *session)
{
    (void)session;
    return size + 1;
}

#define NOTHING(name) \
    int name(void) { return 0; }
NOTHING(qzTeardownSession)
NOTHING(qzClose)
NOTHING(qzGetStatus)
NOTHING(qzCompressStream)
NOTHING(qzDecompressStream)
NOTHING(qzEndStream)
#ifndef OLDER
NOTHING(qzCompressCrcExt)
#endif
