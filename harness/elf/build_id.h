/* The GNU build id of an ELF file: what the agent that was made from it reports in its HELLO. */
#ifndef HARNESS_ELF_BUILD_ID_H
#define HARNESS_ELF_BUILD_ID_H

#include "harness/base/err.h"

enum {
    BUILD_ID_TEXT = 129
};

/*
 * Hex digits of the build id of a firmware (or of the native agent) into ret. 0; 1 when the file has
 * none; ERR_CONFIG when it is no ELF file, ERR_IO when it cannot be read.
 */
int build_id_read(const char *path, char ret[static BUILD_ID_TEXT], struct err *err) MUST_CHECK;

#endif
