/* libqatzip, wrong in one condition. Prototypes follow qatzip.h (QATzip 2.0.0); sessions are the library's affair. */

#include "call.h"

static uint32_t level; /* all sessions of a peer have the same */

/* gzip with an extra field (RFC 1952), as the method `qatzip` has it. */
static bool is_gzip_ext(const uint8_t *stream, uint32_t size)
{
    return size > 3 && stream[0] == 0x1f && stream[1] == 0x8b && stream[3] == 4;
}

/* `comp_lvl` is the second number of QzSessionParamsCommon_T, with which the parameters begin. */
int qzSetupSessionDeflateExt(void *session, const uint32_t *parameters)
{
    level = parameters[1];
    return REAL(qzSetupSessionDeflateExt)(session, parameters);
}

int qzCompressExt(void *session, const uint8_t *source, uint32_t *read, uint8_t *output, uint32_t *written,
                  uint32_t last, uint64_t *extended)
{
    int code = REAL(qzCompressExt)(session, source, read, output, written, last, extended);

    if (code >= 0)
        *written = told((struct call){COMPRESS, *read, *written, level, is_gzip_ext(output, *written)}, output);
    return code;
}

int qzDecompressExt(void *session, const uint8_t *source, uint32_t *read, uint8_t *output, uint32_t *written,
                    uint64_t *extended)
{
    int code = REAL(qzDecompressExt)(session, source, read, output, written, extended);

    if (code >= 0)
        *written = told((struct call){DECOMPRESS, *written, *read, level, is_gzip_ext(source, *read)}, output);
    return code;
}
