/*
 * What is needed of the interface of libjsdrv (jetperch/joulescope_driver, Apache-2.0, 1.5 and
 * later): types as they are laid out in memory, and the functions that are looked up by name. Used
 * by joulescope.c, and by the stand-in of the tests that exports the same.
 */
#ifndef HARNESS_METER_JSDRV_ABI_H
#define HARNESS_METER_JSDRV_ABI_H

#include <stdint.h>

#define JSDRV_TOPIC_MAX          64
#define JSDRV_STREAM_HEADER_SIZE 48
#define JSDRV_STREAM_DATA_SIZE   (64 * 1024)
#define JSDRV_SFLAG_PUB          2
#define JSDRV_UNION_FLAG_CONST   2
#define JSDRV_DATA_TYPE_UINT     3
#define JSDRV_DATA_TYPE_FLOAT    4

enum jsdrv_union_e {
    JSDRV_UNION_NULL = 0,
    JSDRV_UNION_STR = 1,
    JSDRV_UNION_BIN = 3,
    JSDRV_UNION_U32 = 10,
    JSDRV_UNION_I32 = 14,
};

struct jsdrv_union_s {
    uint8_t type;
    uint8_t flags;
    uint8_t op;
    uint8_t app;
    uint32_t size; /* of what is pointed to */
    union {
        const char *str;
        char *room; /* of a query: where the answer goes */
        const uint8_t *bin;
        uint32_t u32;
        int32_t i32;
        uint64_t u64;
    } value;
};

struct jsdrv_time_map_s {
    int64_t offset_time;
    uint64_t offset_counter;
    double counter_rate;
};

struct jsdrv_stream_signal_s {
    uint64_t sample_id; /* of the first one; goes on by decimate_factor */
    uint8_t field_id;
    uint8_t index;
    uint8_t element_type;
    uint8_t element_size_bits;
    uint32_t element_count;
    uint32_t sample_rate; /* of sample_id */
    uint32_t decimate_factor;
    struct jsdrv_time_map_s time_map;
    uint8_t data[JSDRV_STREAM_DATA_SIZE];
};

struct jsdrv_statistics_s {
    uint8_t version; /* 1 */
    uint8_t reserved1, reserved2;
    uint8_t decimate_factor;
    uint32_t block_sample_count;
    uint32_t sample_freq;
    uint32_t reserved3;
    uint64_t block_sample_id;
    uint64_t accum_sample_id;
    double i_avg, i_std, i_min, i_max;
    double v_avg, v_std, v_min, v_max;
    double p_avg, p_std, p_min, p_max;
    double charge_f64, energy_f64; /* since accum_sample_id */
    uint64_t charge_i128[2], energy_i128[2];
};

struct jsdrv_context_s;
struct jsdrv_arg_s;

typedef void (*jsdrv_subscribe_fn)(void *user_data, const char *topic,
                                   const struct jsdrv_union_s *value);

struct jsdrv_api {
    int32_t (*initialize)(struct jsdrv_context_s **context, const struct jsdrv_arg_s *args,
                          uint32_t timeout_ms);
    void (*finalize)(struct jsdrv_context_s *context, uint32_t timeout_ms);
    int32_t (*publish)(struct jsdrv_context_s *context, const char *topic,
                       const struct jsdrv_union_s *value, uint32_t timeout_ms);
    int32_t (*query)(struct jsdrv_context_s *context, const char *topic,
                     struct jsdrv_union_s *value, uint32_t timeout_ms);
    int32_t (*subscribe)(struct jsdrv_context_s *context, const char *topic, uint8_t flags,
                         jsdrv_subscribe_fn fn, void *user_data, uint32_t timeout_ms);
    int32_t (*unsubscribe)(struct jsdrv_context_s *context, const char *topic,
                           jsdrv_subscribe_fn fn, void *user_data, uint32_t timeout_ms);
};

/*
 * jsdrv_open() and jsdrv_close() got a further argument in version 2. They only publish these, as
 * their documentation says, and so do we.
 */
#define JSDRV_MSG_OPEN  "@/!open"
#define JSDRV_MSG_CLOSE "@/!close"

#endif
