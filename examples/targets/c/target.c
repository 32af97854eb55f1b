/* A target of the device protocol in C: networks that do not learn, in the flat form; see docs/protocol.md.
 *
 *     target stdio | target stdio+msgpack | target tcp PORT | target serial DEVICE
 */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "network.h"
#include "sha256.h"

enum { PROTOCOL = 1, MOST_FRAME = 1 << 24, MOST_DOCUMENT = 1 << 28 };

/* A value of `record`, and the room for what one message brings back. */
typedef struct {
    const int64_t *numbers;
    size_t count;
    int64_t *kept;
} Record;

typedef struct {
    int read, write;
    bool lines, running, loaded, wanted;
    Buffer in, out, document;
    Arena message, program, run;
    Network network;
    char sha256[65], wanted_sha256[65], wanted_artifact[65];
    size_t wanted_size, records;
    Record *record;
    Writer writer;
} Target;

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Carrying messages. */
static bool send_out(Target *target) {
    uint8_t head[8];
    uint32_t words[2] = {(uint32_t)target->out.length, crc32_of(target->out.data, target->out.length)};
    for (int k = 0; k < 8; k++)
        head[k] = (uint8_t)(words[k / 4] >> 8 * (k % 4));
    if (target->lines)
        append(&target->out, "\n", 1);
    struct {
        const uint8_t *data;
        size_t length;
    } parts[2] = {{head, target->lines ? 0 : 8}, {target->out.data, target->out.length}};
    for (int part = 0; part < 2; part++)
        while (parts[part].length) {
            ssize_t written = write(target->write, parts[part].data, parts[part].length);
            if (written < 0 && errno == EINTR)
                continue;
            if (written <= 0)
                return false;
            parts[part].data += written;
            parts[part].length -= (size_t)written;
        }
    return true;
}

static bool read_more(Target *target) {
    uint8_t part[1 << 16];
    ssize_t length;
    do
        length = read(target->read, part, sizeof part);
    while (length < 0 && errno == EINTR);
    if (length > 0)
        append(&target->in, part, (size_t)length);
    return length > 0;
}

/* The next message without its line's end or head: its place in `in` and how many bytes to drop behind it. */
static bool next_message(Target *target, const uint8_t **data, size_t *length, size_t *whole, bool *sound) {
    for (size_t searched = 0;;) {
        Buffer *in = &target->in;
        *sound = true;
        if (target->lines) {
            uint8_t *end = in->length > searched ? memchr(in->data + searched, '\n', in->length - searched) : NULL;
            searched = in->length;
            if (end) {
                *data = in->data;
                *length = (size_t)(end - in->data);
                *whole = *length + 1;
                return true;
            }
        } else if (in->length >= 8) {
            uint32_t words[2] = {0, 0};
            for (int k = 0; k < 8; k++)
                words[k / 4] |= (uint32_t)in->data[k] << 8 * (k % 4);
            if (words[0] > MOST_FRAME)
                return false;
            if (in->length >= 8 + (size_t)words[0]) {
                *data = in->data + 8;
                *length = words[0];
                *whole = 8 + *length;
                *sound = crc32_of(*data, *length) == words[1];
                return true;
            }
        }
        if (in->length > (size_t)MOST_FRAME + 8 || !read_more(target))
            return false;
    }
}

/* Writing answers. */
static Writer *answer(Target *target, const char *type, int64_t id, size_t fields) {
    target->out.length = 0;
    target->writer = (Writer){.out = &target->out, .lines = target->lines};
    put_map(&target->writer, fields + 2);
    put_text(&target->writer, "type");
    put_text(&target->writer, type);
    put_text(&target->writer, "id");
    put_integer(&target->writer, id);
    return &target->writer;
}

static void put_field(Writer *writer, const char *name, int64_t value) {
    put_text(writer, name);
    put_integer(writer, value);
}

static void put_words(Writer *writer, const char *name, const char *text) {
    put_text(writer, name);
    put_text(writer, text);
}

/* Numbers as an array, in the narrowest type that holds them, or with `wide` in 64 bits. */
static void put_array(Target *target, const int64_t *numbers, const size_t *shape, size_t sides, bool wide) {
    size_t count = 1, bytes = wide ? 8 : 1;
    for (size_t k = 0; k < sides; k++)
        count *= shape[k];
    for (size_t k = 0; k < count && bytes < 8; k++)
        while (bytes < 8 && (numbers[k] < -((int64_t)1 << (8 * bytes - 1)) || numbers[k] >= (int64_t)1 << (8 * bytes - 1)))
            bytes *= 2;
    uint8_t *data = arena_take(&target->message, count * bytes + 1, 1);
    for (size_t k = 0; k < count * bytes; k++)
        data[k] = (uint8_t)((uint64_t)numbers[k / bytes] >> 8 * (k % bytes));
    Writer *writer = &target->writer;
    put_map(writer, 3);
    put_words(writer, "dtype", bytes == 1 ? "|i1" : bytes == 2 ? "<i2" : bytes == 4 ? "<i4" : "<i8");
    put_text(writer, "shape");
    put_list(writer, sides);
    for (size_t k = 0; k < sides; k++)
        put_integer(writer, (int64_t)shape[k]);
    put_text(writer, "data");
    put_bytes(writer, data, count * bytes);
}

static bool refuse(Target *target, int64_t id, const char *code, const char *message) {
    Writer *writer = answer(target, "error", id, 2);
    put_words(writer, "code", code);
    put_words(writer, "message", message);
    if (!send_out(target))
        return false;
    put_field(answer(target, "ready", id, 1), "clock", target->network.clock);
    return send_out(target);
}

static bool ready(Target *target, int64_t id) {
    put_field(answer(target, "ready", id, 1), "clock", target->network.clock);
    return send_out(target);
}

/* Everything that the run goes on from: names and arrays, of a state to send, to take or to hash. */
typedef struct {
    char *name;
    int64_t *numbers;
    size_t count;
} Part;

static char *joined(Target *target, const char *one, const char *middle, const char *other) {
    char *found = arena_take(&target->message, strlen(one) + strlen(middle) + strlen(other) + 1, 1);
    return strcat(strcat(strcpy(found, one), middle), other);
}

static int by_name(const void *one, const void *other) {
    return strcmp(((const Part *)one)->name, ((const Part *)other)->name);
}

static Part *parts_of(Target *target, bool readable, size_t *count) {
    Network *network = &target->network;
    size_t most = network->projections;
    for (size_t k = 0; k < network->populations; k++)
        most += network->population[k].program->states + network->population[k].program->outputs +
                network->population[k].values + 1;
    Part *parts = arena_take(&target->message, most + 1, sizeof *parts), *next = parts;
    for (size_t k = 0; k < network->populations; k++) {
        Population *it = &network->population[k];
        for (size_t s = 0; s < it->program->states; s++)
            *next++ = (Part){joined(target, it->name, readable ? "." : ".state.", it->state_name[s]), it->state[s], it->size};
        for (size_t o = 0; !readable && o < it->program->outputs; o++)
            *next++ = (Part){joined(target, it->name, ".output.", it->output_name[o]), it->output[o], it->size};
        for (size_t v = 0; !readable && v < it->values; v++)
            if (it->value[v].source == PORT) {
                char number[32];
                snprintf(number, sizeof number, "%zu", v);
                *next++ = (Part){joined(target, it->name, ".arriving.", number), it->value[v].arriving, network->ring * it->size};
            }
        if (!readable)
            *next++ = (Part){joined(target, it->name, ".counts", ""), it->counts, 3};
    }
    for (size_t k = 0; readable && k < network->projections; k++)
        *next++ = (Part){joined(target, network->projection[k].name, ".w", ""), network->projection[k].weights.numbers,
                         network->projection[k].synapses};
    *count = (size_t)(next - parts);
    qsort(parts, *count, sizeof *parts, by_name);
    return parts;
}

static void hash_of(const Part *parts, size_t count, char text[65]) {
    Sha256 hash;
    sha256_begin(&hash);
    for (size_t k = 0; k < count; k++) {
        char shape[64];
        sha256_add(&hash, parts[k].name, strlen(parts[k].name));
        snprintf(shape, sizeof shape, " <i8 [%zu]\n", parts[k].count);
        sha256_add(&hash, shape, strlen(shape));
        for (size_t n = 0; n < parts[k].count; n++) {
            uint8_t bytes[8];
            for (int byte = 0; byte < 8; byte++)
                bytes[byte] = (uint8_t)((uint64_t)parts[k].numbers[n] >> 8 * byte);
            sha256_add(&hash, bytes, 8);
        }
    }
    sha256_end(&hash, text);
}

static bool hashed(Target *target, int64_t id, bool readable) {
    size_t count;
    char text[65];
    Part *parts = parts_of(target, readable, &count);
    hash_of(parts, count, text);
    Writer *writer = answer(target, "hashed", id, 2);
    put_field(writer, "clock", target->network.clock);
    put_words(writer, "sha256", text);
    return send_out(target);
}

/* Requests. */
static bool hello(Target *target, int64_t id, const Value *request) {
    const Value *protocol = member(request, "protocol");
    if (!protocol || protocol->integer != PROTOCOL)
        return refuse(target, id, "version", "this target speaks version 1");
    Writer *writer = answer(target, "profile", id, 7);
    put_field(writer, "protocol", PROTOCOL);
    put_words(writer, "target", "example in C");
    put_words(writer, "backend", "flat");
    put_text(writer, "real");
    put_boolean(writer, false);
    put_text(writer, "forms");
    put_list(writer, 1);
    put_text(writer, "flat");
    put_field(writer, "frame_bytes", MOST_FRAME);
    put_field(writer, "tick_ns", 1);
    return send_out(target);
}

static bool copied(char found[65], const Value *text) {
    if (!text || text->kind != TEXT || text->length != 64)
        return false;
    memcpy(found, text->text, 64);
    found[64] = 0;
    return true;
}

static bool loaded(Target *target, int64_t id) {
    Writer *writer = answer(target, "loaded", id, 2);
    put_words(writer, "artifact", target->network.artifact);
    put_words(writer, "sha256", target->sha256);
    return send_out(target);
}

static bool load(Target *target, int64_t id, const Value *request) {
    const Value *size = member(request, "size");
    target->wanted = false;
    if (!is_text(member(request, "form"), "flat"))
        return refuse(target, id, "form", "this target reads the form flat");
    if (!copied(target->wanted_sha256, member(request, "sha256")) ||
        !copied(target->wanted_artifact, member(request, "artifact")) || !size || size->kind != INTEGER ||
        size->integer < 1 || size->integer > MOST_DOCUMENT)
        return refuse(target, id, "load", "hashes or size do not fit");
    if (target->loaded && !strcmp(target->sha256, target->wanted_sha256))
        return loaded(target, id);
    target->wanted = true;
    target->wanted_size = (size_t)size->integer;
    target->document.length = 0;
    answer(target, "wanted", id, 0);
    return send_out(target);
}

static bool piece(Target *target, int64_t id, const Value *request) {
    const uint8_t *data;
    size_t length;
    if (!target->wanted || !bytes_of(member(request, "data"), &target->message, &data, &length))
        return refuse(target, id, "order", "no piece is wanted");
    append(&target->document, data, length);
    if (target->document.length < target->wanted_size && length) {
        put_field(answer(target, "taken", id, 1), "size", (int64_t)target->document.length);
        return send_out(target);
    }
    Sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, target->document.data, target->document.length);
    sha256_end(&hash, target->sha256);
    target->wanted = target->loaded = target->running = false;
    arena_clear(&target->program);
    arena_clear(&target->run);
    memset(&target->network, 0, sizeof target->network);
    if (target->document.length != target->wanted_size || strcmp(target->sha256, target->wanted_sha256))
        return refuse(target, id, "artifact", "the bytes are not those that were announced");
    Value *flat = arena_take(&target->program, 1, sizeof *flat);
    if (!read_msgpack(target->document.data, target->document.length, &target->program, flat))
        return refuse(target, id, "artifact", "the document is not MessagePack");
    const char *wrong = network_read(flat, &target->program, &target->network);
    if (!wrong && strcmp(target->network.artifact, target->wanted_artifact))
        wrong = "the artifact's hash";
    if (wrong) {
        memset(&target->network, 0, sizeof target->network);
        return refuse(target, id, "artifact", joined(target, "what the document says does not fit: ", wrong, ""));
    }
    target->loaded = true;
    return loaded(target, id);
}

static bool reset(Target *target, int64_t id, const Value *request) {
    const Value *seed = member(request, "seed"), *begin = member(request, "begin");
    const Value *record = member(request, "record"), *learning = member(request, "learning");
    Network *network = &target->network;
    target->running = false;
    if (!target->loaded || !is_text(member(request, "artifact"), network->artifact))
        return refuse(target, id, "artifact", "this artifact is not loaded");
    arena_clear(&target->run);
    target->records = record && record->kind == LIST ? record->length : 0;
    target->record = arena_take(&target->run, target->records + 1, sizeof(Record));
    for (size_t k = 0; k < target->records; k++) {
        const Value *pair = &record->items[k];
        Record *it = &target->record[k];
        if (pair->kind == LIST && pair->length == 2)
            it->numbers = network_place(network, &pair->items[0], &pair->items[1], &it->count);
        if (!it->numbers)
            return refuse(target, id, "name", "what is to be recorded does not exist");
    }
    network_reset(network, seed && seed->kind == INTEGER ? seed->integer : network->seed,
                  begin && begin->kind == INTEGER && begin->integer > 0 ? begin->integer : 0,
                  !learning || learning->integer);
    target->running = true;
    return ready(target, id);
}

static const char *take_rows(Target *target, const Value *rows) {
    Network *network = &target->network;
    network->streams = 0;
    if (!rows || rows->kind != LIST)
        return NULL;
    network->stream = arena_take(&target->message, rows->length + 1, sizeof(Stream));
    for (size_t k = 0; k < rows->length; k++) {
        const Value *it = &rows->items[k], *name = member(it, "stream"), *first = member(it, "first");
        Stream *stream = &network->stream[k];
        if (!name || name->kind != TEXT || !first || first->kind != INTEGER ||
            !numbers_of(member(it, "rows"), &target->message, &stream->rows))
            return "rows of a stream do not fit";
        stream->name = name->text;
        stream->name_length = name->length;
        stream->first = first->integer;
        network->streams++;
    }
    return NULL;
}

static void put_counts(Target *target) {
    static const char *names[3] = {"events", "bursts", "clipped"};
    Writer *writer = &target->writer;
    put_text(writer, "counts");
    put_map(writer, 3);
    for (int k = 0; k < 3; k++) {
        put_text(writer, names[k]);
        put_list(writer, target->network.populations);
        for (size_t p = 0; p < target->network.populations; p++)
            put_integer(writer, target->network.population[p].counts[k]);
    }
}

static bool advance(Target *target, int64_t id, const Value *request) {
    const Value *steps = member(request, "steps");
    const char *wrong = take_rows(target, member(request, "rows"));
    size_t count = 0, row = 0;
    if (!wrong && (!steps || steps->kind != INTEGER || steps->integer < 0 || steps->integer > 1 << 24))
        wrong = "a number of steps that does not fit";
    if (wrong)
        return refuse(target, id, "advance", wrong);
    count = (size_t)steps->integer;
    for (size_t k = 0; k < target->records; k++) {
        row += target->record[k].count;
        if (row && count > MOST_FRAME / 2 / row)
            return refuse(target, id, "too_large", "what is recorded does not fit into a message");
        target->record[k].kept = arena_take(&target->message, count * target->record[k].count + 1, sizeof(int64_t));
    }
    int64_t began = now_ns();
    for (size_t step = 0; step < count && !wrong; step++) {
        wrong = network_step(&target->network);
        for (size_t k = 0; k < target->records; k++) {
            Record *it = &target->record[k];
            memcpy(it->kept + step * it->count, it->numbers, it->count * sizeof(int64_t));
        }
    }
    int64_t ended = now_ns();
    target->network.streams = 0;
    if (wrong) {
        target->running = false;
        return refuse(target, id, "rows", joined(target, "missing: ", wrong, ""));
    }
    Writer *writer = answer(target, "advanced", id, 5);
    put_field(writer, "clock", target->network.clock);
    put_counts(target);
    put_field(writer, "began_ns", began);
    put_field(writer, "ended_ns", ended);
    put_text(writer, "recorded");
    put_list(writer, target->records);
    for (size_t k = 0; k < target->records; k++)
        put_array(target, target->record[k].kept, (size_t[2]){count, target->record[k].count}, 2, false);
    return send_out(target);
}

static bool read_place(Target *target, int64_t id, const Value *request) {
    size_t count;
    const int64_t *found = network_place(&target->network, member(request, "place"), member(request, "variable"), &count);
    if (!found)
        return refuse(target, id, "name", "no such place");
    Writer *writer = answer(target, "values", id, 1);
    put_text(writer, "values");
    put_array(target, found, &count, 1, false);
    return send_out(target);
}

static bool write_signal(Target *target, int64_t id, const Value *request) {
    size_t size;
    Numbers given;
    Course *course = network_written(&target->network, member(request, "name"), &size);
    if (!course || !numbers_of(member(request, "value"), &target->message, &given) || (given.count != 1 && given.count != size))
        return refuse(target, id, "write", "no such signal, or a value that does not fit it");
    if (!course->written.numbers)
        course->written.numbers = arena_take(&target->program, size, sizeof(int64_t));
    memcpy(course->written.numbers, given.numbers, given.count * sizeof(int64_t));
    course->written.count = given.count;
    return ready(target, id);
}

static bool send_state(Target *target, int64_t id) {
    size_t count;
    char text[65];
    Part *parts = parts_of(target, false, &count);
    hash_of(parts, count, text);
    Writer *writer = answer(target, "state_is", id, 3);
    put_field(writer, "clock", target->network.clock);
    put_words(writer, "sha256", text);
    put_text(writer, "state");
    put_map(writer, count);
    for (size_t k = 0; k < count; k++) {
        put_text(writer, parts[k].name);
        put_array(target, parts[k].numbers, &parts[k].count, 1, true);
    }
    return send_out(target);
}

static bool restore(Target *target, int64_t id, const Value *request) {
    const Value *state = member(request, "state"), *clock = member(request, "clock");
    size_t count;
    Part *parts = parts_of(target, false, &count);
    Numbers *given = arena_take(&target->message, count + 1, sizeof *given);
    bool fits = state && state->kind == MAP && state->length == count && clock && clock->kind == INTEGER && clock->integer >= 0;
    for (size_t k = 0; fits && k < count; k++)
        fits = numbers_of(member(state, parts[k].name), &target->message, &given[k]) && given[k].count == parts[k].count;
    if (!fits)
        return refuse(target, id, "state", "this is not a state of the program");
    for (size_t k = 0; k < count; k++)
        memcpy(parts[k].numbers, given[k].numbers, parts[k].count * sizeof(int64_t));
    target->network.clock = clock->integer;
    return hashed(target, id, false);
}

static bool respond(Target *target, const Value *request, bool *last) {
    const Value *type = member(request, "type"), *number = member(request, "id");
    int64_t id = number && number->kind == INTEGER ? number->integer : 0;
    if (is_text(type, "hello"))
        return hello(target, id, request);
    if (is_text(type, "load"))
        return load(target, id, request);
    if (is_text(type, "piece"))
        return piece(target, id, request);
    if (is_text(type, "reset"))
        return reset(target, id, request);
    if (is_text(type, "timestamp")) {
        put_field(answer(target, "time", id, 1), "ns", now_ns());
        return send_out(target);
    }
    if (is_text(type, "bye")) {
        *last = true;
        return ready(target, id);
    }
    if (!target->running)
        return refuse(target, id, "order", "this needs a run: 'reset' begins one");
    if (is_text(type, "advance"))
        return advance(target, id, request);
    if (is_text(type, "read"))
        return read_place(target, id, request);
    if (is_text(type, "write"))
        return write_signal(target, id, request);
    if (is_text(type, "state"))
        return send_state(target, id);
    if (is_text(type, "restore"))
        return restore(target, id, request);
    if (is_text(type, "state_hash"))
        return hashed(target, id, true);
    return refuse(target, id, "unable", "this target cannot do that");
}

/* Answers one host until it goes. */
static void serve(Target *target) {
    const uint8_t *data;
    size_t length, whole;
    bool sound, last = false;
    target->in.length = 0;
    while (!last && next_message(target, &data, &length, &whole, &sound)) {
        Value request = {0};
        bool read = sound && (target->lines ? read_json((const char *)data, length, &target->message, &request)
                                            : read_msgpack(data, length, &target->message, &request));
        if (read ? !respond(target, &request, &last) : !refuse(target, 0, "rubbish", "this is not a message"))
            break;
        target->in.length -= whole;
        memmove(target->in.data, target->in.data + whole, target->in.length);
        arena_clear(&target->message);
    }
    arena_clear(&target->message);
}

static int listen_at(int port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof place;
    int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&place, sizeof place) || listen(server, 1) ||
        getsockname(server, (struct sockaddr *)&place, &size)) {
        perror("target");
        exit(1);
    }
    printf("listening on tcp://127.0.0.1:%d\n", ntohs(place.sin_port));
    fflush(stdout);
    return server;
}

static int serial_line(const char *device) {
    struct termios line;
    int port = open(device, O_RDWR | O_NOCTTY);
    if (port < 0 || tcgetattr(port, &line)) {
        perror(device);
        exit(1);
    }
    cfmakeraw(&line);
    cfsetspeed(&line, B115200);
    tcsetattr(port, TCSANOW, &line);
    return port;
}

int main(int count, char **words) {
    static Target target;
    const char *place = count > 1 ? words[1] : "stdio";
    signal(SIGPIPE, SIG_IGN);
    target.write = 1;
    target.lines = !strcmp(place, "stdio");
    if (target.lines || !strcmp(place, "stdio+msgpack"))
        serve(&target);
    else if (count == 3 && !strcmp(place, "serial")) {
        target.read = target.write = serial_line(words[2]);
        serve(&target);
    } else if (count == 3 && !strcmp(place, "tcp"))
        for (int server = listen_at(atoi(words[2])), on = 1;;) {
            target.read = target.write = accept(server, NULL, NULL);
            if (target.read < 0)
                continue;
            setsockopt(target.read, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            target.running = false;
            serve(&target);
            close(target.read);
        }
    else {
        fprintf(stderr, "usage: %s stdio | stdio+msgpack | tcp PORT | serial DEVICE\n", words[0]);
        return 2;
    }
    return 0;
}
