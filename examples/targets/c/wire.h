/* Messages as bytes: lines of JSON, or frames of MessagePack; see docs/protocol.md. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that is given back all at once. */
typedef struct Arena {
    struct Block *blocks;
} Arena;

void *arena_take(Arena *arena, size_t count, size_t size); /* zeroed; ends the program without memory */
void arena_clear(Arena *arena);

typedef enum { NIL, BOOLEAN, INTEGER, REAL, TEXT, LIST, MAP } Kind;

/* A value of a message. A map's items are key, value, key, value; bytes are TEXT as well. */
typedef struct Value {
    Kind kind;
    bool base64; /* TEXT that came in JSON: bytes are in base64 there */
    int64_t integer;
    const char *text;
    size_t length; /* bytes of TEXT, items of LIST, pairs of MAP */
    struct Value *items;
} Value;

bool read_json(const char *data, size_t length, Arena *arena, Value *found);
bool read_msgpack(const uint8_t *data, size_t length, Arena *arena, Value *found);

/* What a map holds under a name; NULL where there is none, or where the value is not a map. */
const Value *member(const Value *map, const char *name);
bool is_text(const Value *value, const char *text);
/* The bytes of a TEXT; false where there are none. */
bool bytes_of(const Value *value, Arena *arena, const uint8_t **bytes, size_t *length);

typedef struct {
    uint8_t *data;
    size_t length, capacity;
} Buffer;

void append(Buffer *buffer, const void *data, size_t length);

#define DEEPEST 16

/* Writes one message; maps and lists end by themselves when their last value is written. */
typedef struct {
    Buffer *out;
    bool lines;
    int depth;
    size_t left[DEEPEST], done[DEEPEST];
    bool map[DEEPEST];
} Writer;

void put_map(Writer *writer, size_t pairs);
void put_list(Writer *writer, size_t items);
void put_text(Writer *writer, const char *text);
void put_integer(Writer *writer, int64_t value);
void put_boolean(Writer *writer, bool value);
void put_nil(Writer *writer);
void put_bytes(Writer *writer, const uint8_t *data, size_t length);

uint32_t crc32_of(const uint8_t *data, size_t length);

#endif
