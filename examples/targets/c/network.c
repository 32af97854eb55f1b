#include "network.h"

#include <string.h>

/* Nothing in a document may be larger, so that products of two sizes fit. */
#define MOST ((int64_t)1 << 30)

static int64_t integer(const Value *map, const char *name, int64_t least, int64_t most, const char **wrong) {
    const Value *value = member(map, name);
    if (!value || (value->kind != INTEGER && value->kind != BOOLEAN) || value->integer < least || value->integer > most)
        *wrong = name;
    return *wrong ? 0 : value->integer;
}

static char *text(const Value *value, Arena *arena, const char **wrong) {
    if (!value || value->kind != TEXT) {
        *wrong = "a name";
        return "";
    }
    char *found = arena_take(arena, value->length + 1, 1);
    memcpy(found, value->text, value->length);
    return found;
}

static const Value *list(const Value *map, const char *name, const char **wrong) {
    static const Value none = {.kind = LIST};
    const Value *value = member(map, name);
    if (!value || value->kind != LIST || value->length > (size_t)MOST)
        *wrong = name;
    return *wrong ? &none : value;
}

bool numbers_of(const Value *array, Arena *arena, Numbers *found) {
    static const char *types[] = {"|i1", "|u1", "|b1", "<i2", "<u2", "<i4", "<u4", "<i8"};
    static const int sizes[] = {1, 1, 1, 2, 2, 4, 4, 8};
    const Value *dtype = member(array, "dtype"), *shape = member(array, "shape");
    const uint8_t *bytes;
    size_t length;
    int type = 0;
    while (type < 8 && !is_text(dtype, types[type]))
        type++;
    if (type == 8 || !shape || shape->kind != LIST || shape->length > 2)
        return false;
    found->count = 1;
    for (size_t k = 0; k < shape->length; k++) {
        const Value *side = &shape->items[k];
        if (side->kind != INTEGER || side->integer < 0 || side->integer > MOST)
            return false;
        found->count *= (size_t)side->integer;
    }
    found->rows = shape->length == 2 ? (size_t)shape->items[0].integer : 1;
    found->columns = shape->length ? (size_t)shape->items[shape->length - 1].integer : 1;
    if (!bytes_of(member(array, "data"), arena, &bytes, &length) || length != found->count * (size_t)sizes[type])
        return false;
    found->numbers = arena_take(arena, found->count ? found->count : 1, sizeof(int64_t));
    for (size_t k = 0; k < found->count; k++) {
        uint64_t bits = 0;
        for (int byte = sizes[type] - 1; byte >= 0; byte--)
            bits = bits << 8 | bytes[k * (size_t)sizes[type] + (size_t)byte];
        /* The sign of what has one. */
        if (types[type][1] == 'i' && sizes[type] < 8 && bits >> (8 * sizes[type] - 1))
            bits |= UINT64_MAX << (8 * sizes[type]);
        found->numbers[k] = (int64_t)bits;
    }
    return true;
}

static Numbers numbers(const Value *map, const char *name, Arena *arena, const char **wrong) {
    Numbers found = {0};
    if (!numbers_of(member(map, name), arena, &found) && !*wrong)
        *wrong = name;
    return found;
}

static int64_t *indices(const Value *map, const char *name, int64_t most, Arena *arena, const char **wrong) {
    const Value *values = list(map, name, wrong);
    int64_t *found = arena_take(arena, values->length + 1, sizeof *found);
    for (size_t k = 0; k < values->length; k++) {
        found[k] = values->items[k].integer;
        if (values->items[k].kind != INTEGER || found[k] < 0 || found[k] >= most)
            *wrong = name;
    }
    return found;
}

static const int ARGUMENTS[OPERATIONS] = {0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 2, 1, 1, 1, 0};

static void read_program(const Value *map, Arena *arena, Program *program, const char **wrong) {
    const Value *tables = list(map, "tables", wrong);
    Numbers nodes = numbers(map, "nodes", arena, wrong);
    program->nodes = nodes.rows;
    program->node = (int64_t(*)[6])nodes.numbers;
    program->tables = tables->length;
    program->table = arena_take(arena, tables->length + 1, sizeof(Numbers));
    for (size_t k = 0; k < tables->length; k++)
        if (!numbers_of(&tables->items[k], arena, &program->table[k]) || !program->table[k].count)
            *wrong = "tables";
    program->states = list(map, "next_state", wrong)->length;
    program->outputs = list(map, "output", wrong)->length;
    program->next_state = indices(map, "next_state", (int64_t)nodes.rows, arena, wrong);
    program->output = indices(map, "output", (int64_t)nodes.rows, arena, wrong);
    if (*wrong || nodes.columns != 6) {
        *wrong = "nodes";
        return;
    }
    for (size_t k = 0; k < program->nodes; k++) {
        int64_t *node = program->node[k];
        bool fits = node[0] >= 0 && node[0] < OPERATIONS;
        for (int a = 0; fits && a < 3; a++)
            if (a >= ARGUMENTS[node[0]])
                node[1 + a] = 0;
            else
                fits = node[1 + a] >= 0 && node[1 + a] < (int64_t)k;
        if (fits && (node[0] == SATURATE || node[0] == WRAP || node[0] == RANDOM))
            fits = node[4] > 0 && node[4] < 63;
        if (fits && node[0] == LOOKUP)
            fits = node[4] >= 0 && node[4] < (int64_t)program->tables;
        if (fits && node[0] == STATE)
            fits = node[4] >= 0 && node[4] < (int64_t)program->states;
        if (!fits)
            *wrong = "nodes";
    }
}

static bool one_or_each(const Numbers *it, size_t size) { return it->count == 1 || it->count == size; }

static void read_course(const Value *map, Arena *arena, size_t size, Course *course, bool inner, const char **wrong) {
    static const char *kinds[] = {"fixed", "clock", "periodic", "listed", "waveform", "streamed", "written", "port"};
    const Value *kind = member(map, "kind"), *added;
    int source = 0;
    while (source < 8 && !is_text(kind, kinds[source]))
        source++;
    course->source = (Source)source;
    switch (source) {
    case FIXED:
        course->numbers = numbers(map, "numbers", arena, wrong);
        break;
    case PERIODIC:
        course->period = integer(map, "period", 0, INT64_MAX, wrong);
        course->first = integer(map, "first", INT64_MIN, INT64_MAX, wrong);
        course->last = integer(map, "last", INT64_MIN, INT64_MAX, wrong);
        break;
    case WAVEFORM:
        course->numbers = numbers(map, "rows", arena, wrong);
        course->pace = integer(map, "pace", 1, MOST, wrong);
        course->per = integer(map, "per", 1, MOST, wrong);
        course->start = integer(map, "start", 0, INT64_MAX, wrong);
        course->stop = integer(map, "stop", 0, INT64_MAX, wrong);
        course->repeats = integer(map, "repeats", 0, 1, wrong) != 0;
        if (course->numbers.rows < 2 || (course->numbers.columns != 1 && course->numbers.columns != size))
            *wrong = "rows";
        break;
    case STREAMED:
        course->name = text(member(map, "stream"), arena, wrong);
        course->hold = integer(map, "hold", 1, MOST, wrong);
        break;
    case WRITTEN:
        course->name = text(member(map, "name"), arena, wrong);
        course->numbers = numbers(map, "start", arena, wrong);
        course->offset = integer(map, "offset", -MOST, MOST, wrong);
        break;
    case PORT:
        course->low = integer(map, "low", INT64_MIN, INT64_MAX, wrong);
        course->high = integer(map, "high", INT64_MIN, INT64_MAX, wrong);
        course->counted = integer(map, "counted", 0, 1, wrong) != 0;
        added = member(map, "added");
        if (inner || !added)
            *wrong = "port";
        else if (added->kind != NIL) {
            course->added = arena_take(arena, 1, sizeof(Course));
            read_course(added, arena, size, course->added, true, wrong);
        }
        break;
    case CLOCK:
    case LISTED:
        break;
    default:
        *wrong = "kind";
    }
    if (!*wrong && (source == FIXED || source == WRITTEN) && !one_or_each(&course->numbers, size))
        *wrong = "numbers of a value";
    course->name_length = course->name ? strlen(course->name) : 0;
}

static int64_t **rows_of(Arena *arena, size_t count, size_t size) {
    int64_t **found = arena_take(arena, count + 1, sizeof *found);
    for (size_t k = 0; k < count; k++)
        found[k] = arena_take(arena, size, sizeof **found);
    return found;
}

static char **names(const Value *map, const char *name, size_t count, Arena *arena, const char **wrong) {
    const Value *values = list(map, name, wrong);
    char **found = arena_take(arena, count + 1, sizeof *found);
    if (values->length != count)
        *wrong = name;
    for (size_t k = 0; !*wrong && k < count; k++)
        found[k] = text(&values->items[k], arena, wrong);
    return found;
}

static void read_population(const Value *map, Arena *arena, Network *network, Population *it, const char **wrong) {
    it->name = text(member(map, "name"), arena, wrong);
    it->size = (size_t)integer(map, "size", 1, MOST, wrong);
    it->stream = integer(map, "stream", 0, INT64_MAX, wrong);
    it->source = integer(map, "source", 0, 1, wrong) != 0;
    it->program = network->program + integer(map, "program", 0, (int64_t)network->programs - 1, wrong);
    if (*wrong)
        return;
    const Program *program = it->program;
    const Value *values = list(map, "values", wrong), *initial = list(map, "initial", wrong);
    it->state_name = names(map, "states", program->states, arena, wrong);
    it->output_name = names(map, "outputs", program->outputs, arena, wrong);
    it->events_output = integer(map, "events", -1, (int64_t)program->outputs - 1, wrong);
    it->bursts_output = integer(map, "bursts", -1, (int64_t)program->outputs - 1, wrong);
    it->values = values->length;
    it->learned_count = list(map, "learned", wrong)->length;
    it->learned = indices(map, "learned", (int64_t)it->values, arena, wrong);
    it->spikes = numbers(map, "spikes", arena, wrong);
    if (*wrong || it->spikes.columns != 3 || initial->length != program->states) {
        *wrong = *wrong ? *wrong : "initial or spikes";
        return;
    }
    for (size_t k = 0; k < it->spikes.rows; k++)
        if (it->spikes.numbers[3 * k + 1] < 0 || it->spikes.numbers[3 * k + 1] >= (int64_t)it->size)
            *wrong = "spikes";
    for (size_t k = 0; k < program->nodes; k++)
        if (program->node[k][0] == VALUE && (program->node[k][4] < 0 || program->node[k][4] >= (int64_t)it->values))
            *wrong = "values";
    it->value = arena_take(arena, it->values + 1, sizeof(Course));
    for (size_t k = 0; k < it->values; k++)
        read_course(&values->items[k], arena, it->size, &it->value[k], false, wrong);
    it->initial = arena_take(arena, program->states + 1, sizeof(Numbers));
    for (size_t k = 0; k < program->states; k++)
        if (!numbers_of(&initial->items[k], arena, &it->initial[k]) || !one_or_each(&it->initial[k], it->size))
            *wrong = "initial";
    it->state = rows_of(arena, program->states, it->size);
    it->output = rows_of(arena, program->outputs, it->size);
    it->now = rows_of(arena, it->values, it->size);
}

static void read_projection(const Value *map, Arena *arena, Network *network, Projection *it, const char **wrong) {
    int64_t last = (int64_t)network->populations - 1;
    it->name = text(member(map, "name"), arena, wrong);
    it->source = (size_t)integer(map, "source", 0, last, wrong);
    it->target = (size_t)integer(map, "target", 0, last, wrong);
    it->exponent = integer(map, "exponent", -32, 32, wrong);
    it->pre = numbers(map, "pre", arena, wrong);
    it->post = numbers(map, "post", arena, wrong);
    it->weights = numbers(map, "weights", arena, wrong);
    it->delays = numbers(map, "delays", arena, wrong);
    if (*wrong)
        return;
    const Population *source = &network->population[it->source], *target = &network->population[it->target];
    it->output = (size_t)integer(map, "output", 0, (int64_t)source->program->outputs - 1, wrong);
    it->port = (size_t)integer(map, "port", 0, (int64_t)target->values - 1, wrong);
    it->synapses = it->pre.count;
    if (*wrong || target->value[it->port].source != PORT || it->post.count != it->synapses ||
        it->weights.count != it->synapses || it->delays.count != it->synapses) {
        *wrong = "synapses";
        return;
    }
    int64_t longest = 0;
    it->first = arena_take(arena, source->size + 1, sizeof *it->first);
    for (size_t k = 0; k < it->synapses; k++) {
        int64_t pre = it->pre.numbers[k], post = it->post.numbers[k], delay = it->delays.numbers[k];
        if (pre < (k ? it->pre.numbers[k - 1] : 0) || pre >= (int64_t)source->size || post < 0 ||
            post >= (int64_t)target->size || delay < 0 || delay > 1 << 16) {
            *wrong = "synapses";
            return;
        }
        it->first[pre + 1] = k + 1;
        longest = delay > longest ? delay : longest;
    }
    for (size_t k = 0; k < source->size; k++)
        if (it->first[k + 1] < it->first[k])
            it->first[k + 1] = it->first[k];
    it->sums = arena_take(arena, ((size_t)longest + 1) * target->size, sizeof *it->sums);
    if (network->ring < (size_t)longest + 1)
        network->ring = (size_t)longest + 1;
}

const char *network_read(const Value *flat, Arena *arena, Network *network) {
    const char *wrong = NULL;
    memset(network, 0, sizeof *network);
    integer(flat, "flat", 1, 1, &wrong);
    network->artifact = text(member(flat, "artifact"), arena, &wrong);
    network->name = text(member(flat, "name"), arena, &wrong);
    network->seed = integer(flat, "seed", 0, UINT32_MAX, &wrong);
    network->ring = 1;
    const Value *programs = list(flat, "programs", &wrong), *populations = list(flat, "populations", &wrong);
    const Value *projections = list(flat, "projections", &wrong);
    network->programs = programs->length;
    network->populations = populations->length;
    network->projections = projections->length;
    network->program = arena_take(arena, programs->length + 1, sizeof(Program));
    network->population = arena_take(arena, populations->length + 1, sizeof(Population));
    network->projection = arena_take(arena, projections->length + 1, sizeof(Projection));
    size_t longest = 1, largest = 1;
    for (size_t k = 0; k < programs->length && !wrong; k++) {
        read_program(&programs->items[k], arena, &network->program[k], &wrong);
        longest = network->program[k].nodes > longest ? network->program[k].nodes : longest;
    }
    for (size_t k = 0; k < populations->length && !wrong; k++) {
        read_population(&populations->items[k], arena, network, &network->population[k], &wrong);
        largest = network->population[k].size > largest ? network->population[k].size : largest;
    }
    for (size_t k = 0; k < projections->length && !wrong; k++)
        read_projection(&projections->items[k], arena, network, &network->projection[k], &wrong);
    if (wrong)
        return wrong;
    network->work = arena_take(arena, longest * largest, sizeof(int64_t));
    for (size_t k = 0; k < network->populations; k++)
        for (size_t v = 0; v < network->population[k].values; v++)
            if (network->population[k].value[v].source == PORT)
                network->population[k].value[v].arriving =
                    arena_take(arena, network->ring * network->population[k].size, sizeof(int64_t));
    return NULL;
}

void network_reset(Network *network, int64_t seed, int64_t clock, bool learning) {
    network->seed = seed;
    network->clock = clock;
    network->learning = learning;
    network->streams = 0;
    for (size_t k = 0; k < network->populations; k++) {
        Population *it = &network->population[k];
        memset(it->counts, 0, sizeof it->counts);
        for (size_t s = 0; s < it->program->states; s++)
            for (size_t n = 0; n < it->size; n++)
                it->state[s][n] = it->initial[s].numbers[it->initial[s].count == 1 ? 0 : n];
        for (size_t o = 0; o < it->program->outputs; o++)
            memset(it->output[o], 0, it->size * sizeof(int64_t));
        for (size_t v = 0; v < it->values; v++) {
            Course *course = &it->value[v];
            course->written.count = 0;
            if (course->added)
                course->added->written.count = 0;
            if (course->arriving)
                memset(course->arriving, 0, network->ring * it->size * sizeof(int64_t));
        }
    }
}

/* Random bits: a function of seed, stream, step, draw and neuron, in 32 bits with wrap. */
static uint32_t mix(uint32_t h) {
    h = (h ^ h >> 16) * 0x7FEB352Du;
    h = (h ^ h >> 15) * 0x846CA68Bu;
    return h ^ h >> 16;
}

static int64_t floored(int64_t value, int64_t shift) {
    return value >= 0 ? value >> shift : -((-value - 1) >> shift) - 1;
}

static int64_t limited(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

static int64_t shift_of(int64_t by) { return by < 0 ? 0 : by > 62 ? 62 : by; }

static int64_t done(const Program *program, const int64_t *node, int64_t a, int64_t b, int64_t c) {
    int64_t half = node[4] > 0 && node[4] < 63 ? (int64_t)1 << (node[4] - 1) : 0;
    switch (node[0]) {
    case ADD:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case SUB:
        return (int64_t)((uint64_t)a - (uint64_t)b);
    case MUL:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    case SHIFT_LEFT:
        return (int64_t)((uint64_t)a << shift_of(b));
    case SHIFT_RIGHT:
        return floored(a, shift_of(b));
    case SHIFT_RIGHT_ZERO:
        return a >= 0 ? a >> shift_of(b) : -(-a >> shift_of(b));
    case SHIFT_RIGHT_ROUND:
        return floored(a + ((int64_t)1 << shift_of(b) >> 1), shift_of(b));
    case LESS:
        return a < b;
    case EQUAL:
        return a == b;
    case SELECT:
        return a ? b : c;
    case MINIMUM:
        return a < b ? a : b;
    case MAXIMUM:
        return a > b ? a : b;
    case SATURATE:
        return limited(a, 1 - half, half - 1);
    case WRAP:
        return a > half ? a - 2 * half : a <= -half ? a + 2 * half : a;
    default: { /* LOOKUP */
        const Numbers *table = &program->table[node[4]];
        return table->numbers[limited(a, 0, (int64_t)table->count - 1)];
    }
    }
}

static const int64_t *streamed(const Network *network, const Course *course, size_t size) {
    int64_t row = network->clock / course->hold;
    for (size_t k = 0; k < network->streams; k++) {
        const Stream *it = &network->stream[k];
        if (it->name_length == course->name_length && !memcmp(it->name, course->name, it->name_length) &&
            it->rows.columns == size && row >= it->first && row - it->first < (int64_t)it->rows.rows)
            return it->rows.numbers + (size_t)(row - it->first) * size;
    }
    return NULL;
}

static size_t played(const Course *course, int64_t clock) {
    int64_t rows = (int64_t)course->numbers.rows - 1, since = clock > course->start ? clock - course->start : 0;
    int64_t place = since * course->pace / course->per;
    if (clock < course->start || (course->stop > 0 && clock >= course->stop))
        return (size_t)rows;
    return (size_t)(course->repeats ? place % rows : place < rows ? place : rows - 1);
}

/* The numbers of a course in this step, into `found`; NULL, or what is missing. */
static const char *at(Network *network, Population *it, Course *course, int64_t *found) {
    int64_t clock = network->clock, one = clock;
    const Numbers *many = &course->numbers;
    const int64_t *row = NULL;
    switch (course->source) {
    case PERIODIC:
        one = course->period ? clock % course->period : clock;
        one = course->first <= one && one < course->last;
        break;
    case LISTED:
        memset(found, 0, it->size * sizeof *found);
        for (size_t k = 0; k < it->spikes.rows; k++)
            if (it->spikes.numbers[3 * k] == clock)
                found[it->spikes.numbers[3 * k + 1]] = it->spikes.numbers[3 * k + 2];
        return NULL;
    case STREAMED:
        row = streamed(network, course, it->size);
        if (!row)
            return "rows of a stream";
        break;
    case WAVEFORM:
        row = many->numbers + played(course, clock) * many->columns;
        if (many->columns == 1) {
            one = *row;
            row = NULL;
        }
        break;
    case WRITTEN:
        many = course->written.count ? &course->written : many; /* fall through */
    case FIXED:
        one = many->numbers[0];
        row = many->count == 1 ? NULL : many->numbers;
        break;
    default: /* the clock itself */
        break;
    }
    for (size_t n = 0; n < it->size; n++)
        found[n] = (row ? row[n] : one) + course->offset;
    return NULL;
}

static const char *arrived(Network *network, Population *it, Course *course, int64_t *found) {
    int64_t *due = course->arriving + (size_t)(network->clock % (int64_t)network->ring) * it->size;
    const char *missing = course->added ? at(network, it, course->added, found) : NULL;
    for (size_t n = 0; n < it->size; n++) {
        int64_t sum = due[n] + (course->added ? found[n] : 0);
        found[n] = limited(sum, course->low, course->high);
        it->counts[2] += course->counted && found[n] != sum;
        due[n] = 0;
    }
    return missing;
}

static const char *update(Network *network, Population *it) {
    const Program *program = it->program;
    uint32_t seeded = mix((uint32_t)network->seed * 0x9E3779B1u + (uint32_t)it->stream * 0x85EBCA77u);
    uint32_t key = mix(seeded + (uint32_t)network->clock * 0xC2B2AE3Du);
    for (size_t v = 0; v < it->values; v++) {
        Course *course = &it->value[v];
        const char *missing = (course->source == PORT ? arrived : at)(network, it, course, it->now[v]);
        if (missing)
            return missing;
    }
    for (size_t k = 0; !network->learning && k < it->learned_count; k++)
        memset(it->now[it->learned[k]], 0, it->size * sizeof(int64_t));
    for (size_t k = 0; k < program->nodes; k++) {
        const int64_t *node = program->node[k];
        int64_t *row = network->work + k * it->size;
        const int64_t *a = network->work + (size_t)node[1] * it->size, *b = network->work + (size_t)node[2] * it->size;
        const int64_t *c = network->work + (size_t)node[3] * it->size;
        uint32_t draw = key + (uint32_t)node[5] * 0x165667B1u;
        for (size_t n = 0; n < it->size; n++)
            switch (node[0]) {
            case CONST:
                row[n] = node[4];
                break;
            case STATE:
                row[n] = it->state[node[4]][n];
                break;
            case VALUE:
                row[n] = it->now[node[4]][n];
                break;
            case RANDOM:
                row[n] = mix(draw + (uint32_t)n * 0x27D4EB2Fu) & (((uint64_t)1 << node[4]) - 1);
                break;
            default:
                row[n] = done(program, node, a[n], ARGUMENTS[node[0]] > 1 ? b[n] : 0, ARGUMENTS[node[0]] > 2 ? c[n] : 0);
            }
    }
    for (size_t s = 0; s < program->states; s++)
        memcpy(it->state[s], network->work + (size_t)program->next_state[s] * it->size, it->size * sizeof(int64_t));
    for (size_t o = 0; o < program->outputs; o++)
        memcpy(it->output[o], network->work + (size_t)program->output[o] * it->size, it->size * sizeof(int64_t));
    const int64_t counted[2] = {it->events_output, it->bursts_output};
    for (int k = 0; k < 2; k++)
        for (size_t n = 0; counted[k] >= 0 && n < it->size; n++)
            it->counts[k] += it->output[counted[k]][n] != 0;
    return NULL;
}

/* What was emitted in the step before sets out: it arrives in this step, or later by its delay. */
static void send(Network *network, Projection *it) {
    const Population *source = &network->population[it->source], *target = &network->population[it->target];
    const int64_t *messages = source->output[it->output];
    int64_t *ring = target->value[it->port].arriving, longest = -1;
    for (size_t n = 0; n < source->size; n++)
        for (size_t k = it->first[n]; messages[n] && k < it->first[n + 1]; k++) {
            int64_t delay = it->delays.numbers[k];
            it->sums[(size_t)delay * target->size + (size_t)it->post.numbers[k]] += it->weights.numbers[k] * messages[n];
            longest = delay > longest ? delay : longest;
        }
    for (int64_t delay = 0; delay <= longest; delay++) {
        int64_t *sums = it->sums + (size_t)delay * target->size;
        int64_t *due = ring + (size_t)((network->clock + delay) % (int64_t)network->ring) * target->size;
        for (size_t n = 0; n < target->size; n++) {
            due[n] += it->exponent >= 0 ? sums[n] * ((int64_t)1 << it->exponent) : floored(sums[n], -it->exponent);
            sums[n] = 0;
        }
    }
}

const char *network_step(Network *network) {
    const char *missing = NULL;
    for (size_t k = 0; k < network->projections; k++)
        send(network, &network->projection[k]);
    for (int sources = 0; sources < 2; sources++)
        for (size_t k = 0; k < network->populations && !missing; k++)
            if (network->population[k].source == (sources == 1))
                missing = update(network, &network->population[k]);
    network->clock++;
    return missing;
}

const int64_t *network_place(const Network *network, const Value *place, const Value *variable, size_t *count) {
    for (size_t k = 0; k < network->populations; k++) {
        const Population *it = &network->population[k];
        *count = it->size;
        for (size_t s = 0; is_text(place, it->name) && s < it->program->states; s++)
            if (is_text(variable, it->state_name[s]))
                return it->state[s];
        for (size_t o = 0; is_text(place, it->name) && o < it->program->outputs; o++)
            if (is_text(variable, it->output_name[o]))
                return it->output[o];
    }
    for (size_t k = 0; k < network->projections; k++) {
        *count = network->projection[k].synapses;
        if (is_text(place, network->projection[k].name) && is_text(variable, "w"))
            return network->projection[k].weights.numbers;
    }
    return NULL;
}

Course *network_written(Network *network, const Value *name, size_t *size) {
    for (size_t k = 0; k < network->populations; k++)
        for (size_t v = 0; v < network->population[k].values; v++) {
            Course *course = &network->population[k].value[v];
            course = course->source == PORT && course->added ? course->added : course;
            *size = network->population[k].size;
            if (course->source == WRITTEN && is_text(name, course->name))
                return course;
        }
    return NULL;
}
