/*
 * The engines of this agent, in the order the wire numbers them. A build names the ones it links
 * with ENGINE_* macros; null is always there and always number 0.
 */
#include "agents/engines/engine.h"

extern const struct engine engine_null;

const struct engine *const engines[] = {
    &engine_null,
    NULL,
};
