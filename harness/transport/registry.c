/* The back-ends, and the calls that everyone makes through them. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/log.h"
#include "harness/base/text.h"
#include "harness/transport/transport.h"

extern const struct transport_ops transport_serial;
extern const struct transport_ops transport_pty;
extern const struct transport_ops transport_tcp;
extern const struct transport_ops transport_rfc2217;
extern const struct transport_ops transport_loop;
extern const struct transport_ops transport_replay;
extern const struct transport_ops transport_swd;

/* clang-format off */
const struct transport_ops *const transport_backends[] = {
    &transport_serial,
    &transport_pty,
    &transport_tcp,
    &transport_rfc2217,
    &transport_loop,
    &transport_replay,
    &transport_swd,
    NULL,
};
/* clang-format on */

const struct transport_ops *transport_find(const char *name)
{
    for (size_t i = 0; transport_backends[i] != NULL; i++) {
        if (strcmp(transport_backends[i]->name, name) == 0)
            return transport_backends[i];
    }
    return NULL;
}

static int unknown_name(const char *name, struct err *err)
{
    const char *names[ARRAY_SIZE(transport_backends)];
    const char *nearest;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        names[i] = transport_backends[i] != NULL ? transport_backends[i]->name : NULL;
    nearest = text_nearest(name, names);
    err_set(err, ERR_CONFIG, "unknown transport '%s'", name);
    return nearest != NULL ? err_hint(err, "did you mean '%s'?", nearest) : (int)err->code;
}

static const char *shown_where(const struct transport_config *config)
{
    if (config->where != NULL)
        return config->where;
    if (config->usb_serial != NULL)
        return config->usb_serial;
    return config->usb_id != NULL ? config->usb_id : "-";
}

int transport_open(const char *name, const struct transport_config *config,
                   struct transport **ret_transport, struct err *err)
{
    const struct transport_ops *ops = transport_find(name);
    AUTO(transport_close_auto) struct transport *t = NULL;

    if (ops == NULL)
        return unknown_name(name, err);
    t = calloc(1, ops->size);
    if (t == NULL)
        return err_set(err, ERR_BUG, "out of memory");
    t->ops = ops;
    if (ops->open(t, config, err) < 0)
        return err_in(err, "%s '%s'", name, shown_where(config));
    log_line(LOG_LAB, "%s '%s' open", name, shown_where(config));
    *ret_transport = MOVE(t);
    return 0;
}

int transport_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    log_bytes(LOG_BYTES, ">", data, n);
    return t->ops->send(t, data, n, err);
}

int transport_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n,
                   struct err *err)
{
    int status = t->ops->recv(t, data, cap, timeout_ms, ret_n, err);

    if (status == 0 && *ret_n != 0)
        log_bytes(LOG_BYTES, "<", data, *ret_n);
    return status;
}

bool transport_has_baud(const struct transport *t)
{
    return t->ops->set_baud != NULL;
}

int transport_set_baud(struct transport *t, unsigned baud, struct err *err)
{
    if (t->ops->set_baud == NULL)
        return err_set(err, ERR_UNSUPPORTED, "%s cannot change the baud rate", t->ops->name);
    return t->ops->set_baud(t, baud, err);
}

int transport_fd(struct transport *t)
{
    return t->ops->fd(t);
}

void transport_close(struct transport *t)
{
    if (t == NULL)
        return;
    t->ops->close(t);
    free(t);
}
