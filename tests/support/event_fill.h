/* Events with something else in each field, by the table of their fields. */
#ifndef TESTS_SUPPORT_EVENT_FILL_H
#define TESTS_SUPPORT_EVENT_FILL_H

#include "harness/base/arena.h"
#include "harness/spec/event_text.h"

/* Every field of e's kind; which values, `seed` says. Text and bytes are in the arena. */
void event_fill(struct event *e, unsigned seed, struct arena *arena);

/* e as text (event_put_json), in the arena. */
const char *event_text(const struct event *e, struct arena *arena);

#endif
