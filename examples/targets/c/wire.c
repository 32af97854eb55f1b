#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Block {
    struct Block *next;
} Block;

void *arena_take(Arena *arena, size_t count, size_t size) {
    if (size && count > (SIZE_MAX / 2 - sizeof(Block)) / size) {
        fprintf(stderr, "too much memory\n");
        exit(1);
    }
    Block *block = calloc(1, sizeof(Block) + 8 + count * size);
    if (!block) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block + 1;
}

void arena_clear(Arena *arena) {
    while (arena->blocks) {
        Block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

/* Reading. `bad` stays set once something did not fit. */
typedef struct {
    const uint8_t *at, *end;
    Arena *arena;
    int depth;
    bool bad;
} Reader;

static Value *items_of(Reader *reader, size_t count) {
    /* Each item takes a byte at least. */
    if (count > (size_t)(reader->end - reader->at) || ++reader->depth > DEEPEST) {
        reader->bad = true;
        count = 0;
    }
    return arena_take(reader->arena, count ? count : 1, sizeof(Value));
}

static uint64_t big_endian(Reader *reader, int bytes) {
    uint64_t found = 0;
    if (reader->end - reader->at < bytes) {
        reader->bad = true;
        return 0;
    }
    while (bytes--)
        found = found << 8 | *reader->at++;
    return found;
}

static void packed(Reader *reader, Value *value);

static void packed_text(Reader *reader, Value *value, uint64_t length) {
    value->kind = TEXT;
    if (length > (uint64_t)(reader->end - reader->at)) {
        reader->bad = true;
        return;
    }
    value->text = (const char *)reader->at;
    value->length = length;
    reader->at += length;
}

static void packed_items(Reader *reader, Value *value, Kind kind, uint64_t count) {
    size_t values = kind == MAP ? 2 * count : count;
    value->kind = kind;
    value->length = count;
    value->items = items_of(reader, values);
    for (size_t k = 0; k < values && !reader->bad; k++)
        packed(reader, &value->items[k]);
    reader->depth--;
}

static void packed_integer(Reader *reader, Value *value, int bytes, bool is_signed) {
    uint64_t found = big_endian(reader, bytes);
    value->kind = INTEGER;
    if (is_signed && bytes < 8 && found >> (8 * bytes - 1))
        found |= UINT64_MAX << (8 * bytes);
    else if (!is_signed && found > INT64_MAX)
        reader->bad = true;
    value->integer = (int64_t)found;
}

static void packed(Reader *reader, Value *value) {
    uint64_t head = big_endian(reader, 1);
    if (reader->bad)
        return;
    if (head < 0x80 || head >= 0xe0) {
        value->kind = INTEGER;
        value->integer = (int8_t)head;
    } else if (head < 0x90)
        packed_items(reader, value, MAP, head & 15);
    else if (head < 0xa0)
        packed_items(reader, value, LIST, head & 15);
    else if (head < 0xc0)
        packed_text(reader, value, head & 31);
    else if (head == 0xc0)
        value->kind = NIL;
    else if (head == 0xc2 || head == 0xc3) {
        value->kind = BOOLEAN;
        value->integer = head & 1;
    } else if (head >= 0xc4 && head <= 0xc6)
        packed_text(reader, value, big_endian(reader, 1 << (head - 0xc4)));
    else if (head == 0xca || head == 0xcb) {
        value->kind = REAL;
        big_endian(reader, head == 0xca ? 4 : 8);
    } else if (head >= 0xcc && head <= 0xcf)
        packed_integer(reader, value, 1 << (head - 0xcc), false);
    else if (head >= 0xd0 && head <= 0xd3)
        packed_integer(reader, value, 1 << (head - 0xd0), true);
    else if (head >= 0xd9 && head <= 0xdb)
        packed_text(reader, value, big_endian(reader, 1 << (head - 0xd9)));
    else if (head == 0xdc || head == 0xdd)
        packed_items(reader, value, LIST, big_endian(reader, head == 0xdc ? 2 : 4));
    else if (head == 0xde || head == 0xdf)
        packed_items(reader, value, MAP, big_endian(reader, head == 0xde ? 2 : 4));
    else
        reader->bad = true;
}

bool read_msgpack(const uint8_t *data, size_t length, Arena *arena, Value *found) {
    Reader reader = {data, data + length, arena, 0, false};
    packed(&reader, found);
    return !reader.bad && reader.at == reader.end;
}

static void json(Reader *reader, Value *value);

static int next_of(Reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at))
        reader->at++;
    return reader->at < reader->end ? *reader->at : -1;
}

static bool word(Reader *reader, const char *text) {
    size_t length = strlen(text);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, text, length)) {
        reader->bad = true;
        return false;
    }
    reader->at += length;
    return true;
}

static unsigned hexadecimal(Reader *reader) {
    unsigned found = 0;
    for (int k = 0; k < 4; k++) {
        int digit = reader->at < reader->end ? *reader->at++ : 0;
        const char *digits = "0123456789abcdef", *place = digit ? strchr(digits, digit | 32) : NULL;
        reader->bad |= !place;
        found = found << 4 | (place ? (unsigned)(place - digits) : 0);
    }
    return found;
}

static void json_text(Reader *reader, Value *value) {
    const uint8_t *from = ++reader->at;
    while (reader->at < reader->end && *reader->at != '"')
        reader->at += *reader->at == '\\' ? 2 : 1;
    if (reader->at >= reader->end) {
        reader->bad = true;
        return;
    }
    const uint8_t *end = reader->at;
    char *text = arena_take(reader->arena, end - from + 1, 1);
    value->kind = TEXT;
    value->base64 = true;
    value->text = text;
    for (reader->at = from; reader->at < end;) {
        unsigned character = *reader->at++;
        if (character == '\\') {
            const char *escapes = "\"\\/bfnrt", *means = "\"\\/\b\f\n\r\t";
            int escape = *reader->at++;
            const char *place = strchr(escapes, escape);
            if (escape == 'u') {
                /* Names beyond ASCII come as they are; what must be escaped is below 0x80. */
                character = hexadecimal(reader);
                reader->bad |= character > 0x7f;
            } else if (place)
                character = means[place - escapes];
            else
                reader->bad = true;
        }
        text[value->length++] = (char)character;
    }
    reader->at = end + 1;
}

static void json_number(Reader *reader, Value *value) {
    bool negative = *reader->at == '-';
    int digits = 0;
    value->kind = INTEGER;
    for (reader->at += negative; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; digits++)
        value->integer = digits < 18 ? 10 * value->integer + (*reader->at++ - '0') : (reader->bad = true, reader->at++, 0);
    if (negative)
        value->integer = -value->integer;
    if (reader->at < reader->end && strchr(".eE", *reader->at)) {
        value->kind = REAL;
        while (reader->at < reader->end && *reader->at && strchr("+-.eE0123456789", *reader->at))
            reader->at++;
    }
    reader->bad |= !digits;
}

static void json_items(Reader *reader, Value *value, Kind kind) {
    char end = kind == MAP ? '}' : ']';
    size_t capacity = 0, count = 0;
    value->kind = kind;
    reader->bad |= ++reader->depth > DEEPEST;
    reader->at++;
    while (!reader->bad && next_of(reader) != end) {
        if (count && !word(reader, ","))
            break;
        if (count + 2 > capacity) {
            Value *more = arena_take(reader->arena, capacity = 2 * capacity + 8, sizeof(Value));
            if (count)
                memcpy(more, value->items, count * sizeof(Value));
            value->items = more;
        }
        next_of(reader);
        json(reader, &value->items[count++]);
        if (kind == MAP && !reader->bad) {
            reader->bad |= value->items[count - 1].kind != TEXT;
            next_of(reader);
            if (word(reader, ":")) {
                next_of(reader);
                json(reader, &value->items[count++]);
            }
        }
    }
    value->length = kind == MAP ? count / 2 : count;
    reader->depth--;
    reader->at++;
}

static void json(Reader *reader, Value *value) {
    switch (next_of(reader)) {
    case '{':
        json_items(reader, value, MAP);
        break;
    case '[':
        json_items(reader, value, LIST);
        break;
    case '"':
        json_text(reader, value);
        break;
    case 't':
    case 'f':
        value->kind = BOOLEAN;
        value->integer = *reader->at == 't';
        word(reader, value->integer ? "true" : "false");
        break;
    case 'n':
        word(reader, "null");
        break;
    case -1:
        reader->bad = true;
        break;
    default:
        json_number(reader, value);
    }
}

bool read_json(const char *data, size_t length, Arena *arena, Value *found) {
    Reader reader = {(const uint8_t *)data, (const uint8_t *)data + length, arena, 0, false};
    json(&reader, found);
    return !reader.bad && next_of(&reader) == -1;
}

const Value *member(const Value *map, const char *name) {
    if (map && map->kind == MAP)
        for (size_t k = 0; k < map->length; k++)
            if (is_text(&map->items[2 * k], name))
                return &map->items[2 * k + 1];
    return NULL;
}

bool is_text(const Value *value, const char *text) {
    return value && value->kind == TEXT && value->length == strlen(text) && !memcmp(value->text, text, value->length);
}

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool bytes_of(const Value *value, Arena *arena, const uint8_t **bytes, size_t *length) {
    if (!value || value->kind != TEXT)
        return false;
    *bytes = (const uint8_t *)value->text;
    *length = value->length;
    if (!value->base64)
        return true;
    if (value->length % 4)
        return false;
    int8_t places[256];
    memset(places, -1, sizeof places);
    for (int k = 0; k < 64; k++)
        places[(uint8_t)DIGITS[k]] = (int8_t)k;
    uint8_t *found = arena_take(arena, value->length + 1, 1);
    size_t count = 0, padding = 0;
    uint32_t bits = 0;
    for (size_t k = 0; k < value->length; k++) {
        uint8_t character = (uint8_t)value->text[k];
        if (character == '=' && k + 2 >= value->length)
            padding++;
        else if (places[character] < 0 || padding)
            return false;
        bits = bits << 6 | (uint32_t)(character == '=' ? 0 : places[character]);
        if (k % 4 == 3)
            for (int byte = 2; byte >= 0; byte--)
                found[count++] = (uint8_t)(bits >> 8 * byte);
    }
    *bytes = found;
    *length = count - padding;
    return true;
}

/* Writing. */
void append(Buffer *buffer, const void *data, size_t length) {
    if (buffer->capacity - buffer->length < length) {
        size_t capacity = 2 * buffer->capacity + length + 256;
        uint8_t *more = realloc(buffer->data, capacity);
        if (!more) {
            fprintf(stderr, "out of memory\n");
            exit(1);
        }
        buffer->data = more;
        buffer->capacity = capacity;
    }
    if (length)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

static void letters(Writer *writer, const char *text) { append(writer->out, text, strlen(text)); }

/* What stands before a value in JSON. */
static void before(Writer *writer) {
    if (!writer->lines || !writer->depth)
        return;
    int level = writer->depth - 1;
    if (writer->map[level] && writer->done[level] % 2)
        letters(writer, ":");
    else if (writer->done[level])
        letters(writer, ",");
    writer->done[level]++;
}

/* What stands behind a value: the ends of all that it completes. */
static void after(Writer *writer) {
    while (writer->lines && writer->depth && writer->done[writer->depth - 1] == writer->left[writer->depth - 1])
        letters(writer, writer->map[--writer->depth] ? "}" : "]");
}

static void head(Writer *writer, unsigned base, uint64_t value, int bytes) {
    uint8_t found[9] = {(uint8_t)base};
    for (int k = 0; k < bytes; k++)
        found[1 + k] = (uint8_t)(value >> 8 * (bytes - 1 - k));
    append(writer->out, found, 1 + (size_t)bytes);
}

static void items(Writer *writer, size_t count, bool map) {
    before(writer);
    if (!writer->lines) {
        head(writer, map ? 0xdf : 0xdd, count, 4);
        return;
    }
    letters(writer, map ? "{" : "[");
    writer->map[writer->depth] = map;
    writer->done[writer->depth] = 0;
    writer->left[writer->depth++] = map ? 2 * count : count;
    after(writer);
}

void put_map(Writer *writer, size_t pairs) { items(writer, pairs, true); }

void put_list(Writer *writer, size_t count) { items(writer, count, false); }

void put_text(Writer *writer, const char *text) {
    before(writer);
    if (writer->lines) {
        letters(writer, "\"");
        for (; *text; text++) {
            char escaped[8] = {*text, 0};
            if (*text == '"' || *text == '\\')
                snprintf(escaped, sizeof escaped, "\\%c", *text);
            else if ((unsigned char)*text < 32)
                snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)*text);
            letters(writer, escaped);
        }
        letters(writer, "\"");
    } else {
        head(writer, 0xdb, strlen(text), 4);
        letters(writer, text);
    }
    after(writer);
}

void put_integer(Writer *writer, int64_t value) {
    before(writer);
    if (writer->lines) {
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)value);
        letters(writer, text);
    } else
        head(writer, 0xd3, (uint64_t)value, 8);
    after(writer);
}

void put_boolean(Writer *writer, bool value) {
    before(writer);
    if (writer->lines)
        letters(writer, value ? "true" : "false");
    else
        head(writer, value ? 0xc3 : 0xc2, 0, 0);
    after(writer);
}

void put_nil(Writer *writer) {
    before(writer);
    if (writer->lines)
        letters(writer, "null");
    else
        head(writer, 0xc0, 0, 0);
    after(writer);
}

void put_bytes(Writer *writer, const uint8_t *data, size_t length) {
    before(writer);
    if (writer->lines) {
        letters(writer, "\"");
        for (size_t k = 0; k < length; k += 3) {
            uint32_t bits = (uint32_t)data[k] << 16;
            bits |= k + 1 < length ? (uint32_t)data[k + 1] << 8 : 0;
            bits |= k + 2 < length ? data[k + 2] : 0;
            char four[4] = {DIGITS[bits >> 18], DIGITS[bits >> 12 & 63], DIGITS[bits >> 6 & 63], DIGITS[bits & 63]};
            if (k + 2 >= length)
                four[3] = '=';
            if (k + 1 >= length)
                four[2] = '=';
            append(writer->out, four, 4);
        }
        letters(writer, "\"");
    } else {
        head(writer, 0xc6, length, 4);
        append(writer->out, data, length);
    }
    after(writer);
}

uint32_t crc32_of(const uint8_t *data, size_t length) {
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t k = 0; k < 256; k++) {
            uint32_t bits = k;
            for (int turn = 0; turn < 8; turn++)
                bits = bits >> 1 ^ (bits & 1 ? 0xEDB88320u : 0);
            table[k] = bits;
        }
    uint32_t found = 0xFFFFFFFFu;
    for (size_t k = 0; k < length; k++)
        found = found >> 8 ^ table[(found ^ data[k]) & 255];
    return ~found;
}
