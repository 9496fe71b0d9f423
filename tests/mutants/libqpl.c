/* libqpl, wrong in one condition. */

#include "call.h"

/* The beginning of `qpl_job` (qpl/c_api/job.h, qpl 1.9.0). */
struct job {
    const uint8_t *next_in;
    uint32_t available_in, total_in;
    uint8_t *next_out;
    uint32_t available_out, total_out, operation, flags, crc, xor_checksum, last_bit_offset, level;
};

/* `qpl_operation` and, of `QPL_FLAGS`, what is around DEFLATE (qpl/c_api/defs.h, qpl 1.9.0). */
enum { QPL_DECOMPRESS, QPL_COMPRESS };
enum { QPL_GZIP_MODE = 0x8, QPL_ZLIB_MODE = 0x80000 };

uint32_t qpl_execute_job(struct job *job)
{
    struct job given = *job;
    uint32_t status = REAL(qpl_execute_job)(job);
    uint32_t read = given.available_in - job->available_in, written = given.available_out - job->available_out;
    bool raw = !(given.flags & (QPL_GZIP_MODE | QPL_ZLIB_MODE));

    if (status == 0 && given.operation == QPL_COMPRESS)
        job->total_out -= written - told((struct call){COMPRESS, read, written, given.level, raw}, given.next_out);
    if (status == 0 && given.operation == QPL_DECOMPRESS)
        job->total_out -= written - told((struct call){DECOMPRESS, written, read, 0, raw}, given.next_out);
    return status;
}
