#include "harness/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    assert(err->code == ERR_OK); /* a second failure must not hide the first */
    err->code = code;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return (int)code;
}

int err_sys(struct err *err, int sys, const char *fmt, ...)
{
    va_list ap;
    size_t used;

    assert(err->code == ERR_OK);
    err->code = ERR_IO;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    (void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(sys));
    return ERR_IO;
}

int err_in(struct err *err, const char *fmt, ...)
{
    char old[sizeof(err->text)];
    va_list ap;
    size_t used;

    memcpy(old, err->text, sizeof(old));
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    (void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
    return (int)err->code;
}

int err_hint(struct err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
    va_end(ap);
    return (int)err->code;
}

void err_clear(struct err *err)
{
    err->code = ERR_OK;
    err->text[0] = '\0';
    err->hint[0] = '\0';
}

static const struct code {
    enum err_code code;
    int exit_status;
    const char *class_name;
    const char *text;
} codes[] = {
#define X(name, value, exit_status, class_name, text) {name, exit_status, class_name, text},
    ERR_LIST(X)
#undef X
};

static const struct code *code_find(enum err_code code)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (codes[i].code == code)
            return &codes[i];
    }
    return &codes[ARRAY_SIZE(codes) - 1]; /* an unknown code is our bug: the last row says so */
}

const char *err_name(enum err_code code)
{
    return code_find(code)->text;
}

const char *err_class_name(enum err_code code)
{
    return code_find(code)->class_name;
}

int err_exit_status(enum err_code code)
{
    return code_find(code)->exit_status;
}

bool err_is_lab_fault(enum err_code code)
{
    switch (code) {
    case ERR_IO:
    case ERR_TIMEOUT:
    case ERR_PROTOCOL:
    case ERR_LAB:
    case ERR_FLASH:
    case ERR_METER:
        return true;
    default:
        return false;
    }
}
