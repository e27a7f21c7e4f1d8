/*
 * Sizes of the core, one set per port. A port that wants other ones defines them on the command
 * line (or AGENT_CONFIG as the name of a header that does).
 *
 * Static RAM is about AGENT_RX_RING + AGENT_MAX_PAYLOAD + 24 * AGENT_RECORDS + 250 bytes.
 */
#ifndef AGENTS_CORE_CONFIG_H
#define AGENTS_CORE_CONFIG_H

#ifdef AGENT_CONFIG
#include AGENT_CONFIG
#endif

/* Largest message taken: 4 + a multiple of 16, so that DATA chunks suit flash words. >= 36. */
#ifndef AGENT_MAX_PAYLOAD
#define AGENT_MAX_PAYLOAD 260
#endif

/* DATA frames the host may have in flight: one being stored, the others waiting in the ring. */
#ifndef AGENT_CREDITS
#define AGENT_CREDITS 4
#endif

/* A power of two; at most 256 where 16-bit accesses are not atomic (AVR). */
#ifndef AGENT_RX_RING
#define AGENT_RX_RING 1024
#endif

/* Window records kept until overwritten, so that the host can ask again for a lost one. */
#ifndef AGENT_RECORDS
#define AGENT_RECORDS 8
#endif

/* Operators of one PROFILE_INFO; each pass yields that many. 16 bytes of RAM each beyond 3. */
#ifndef AGENT_PROFILE_OPS
#define AGENT_PROFILE_OPS 3
#endif

/* The rate after reset, and the one to fall back to. */
#ifndef AGENT_BAUD
#define AGENT_BAUD 115200
#endif

/*
 * AGENT_SHARED_RAM, where it is defined: slot and arena are one region, of which the arena is what
 * the loaded model leaves. For chips with little RAM that cannot read a model where it is flashed.
 */

/* Storage of the core's one object: _Thread_local where several agents share a process. */
#ifndef AGENT_STORAGE
#define AGENT_STORAGE
#endif

#endif
