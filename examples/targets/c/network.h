/* A network in the flat form of an artifact, and its steps; see docs/protocol.md. */
#ifndef NETWORK_H
#define NETWORK_H

#include "wire.h"

/* Operations of an integer program, in the order of the flat form. */
enum {
    CONST, STATE, VALUE, ADD, SUB, MUL, SHIFT_LEFT, SHIFT_RIGHT, SHIFT_RIGHT_ZERO, SHIFT_RIGHT_ROUND,
    LESS, EQUAL, SELECT, MINIMUM, MAXIMUM, SATURATE, WRAP, LOOKUP, RANDOM, OPERATIONS
};

/* Numbers, of whatever type they came in. */
typedef struct {
    int64_t *numbers;
    size_t count, rows, columns; /* rows and columns of what has two dimensions */
} Numbers;

bool numbers_of(const Value *array, Arena *arena, Numbers *found);

typedef struct {
    size_t nodes;
    int64_t (*node)[6];
    size_t tables, states, outputs;
    Numbers *table;
    int64_t *next_state, *output;
} Program;

typedef enum { FIXED, CLOCK, PERIODIC, LISTED, WAVEFORM, STREAMED, WRITTEN, PORT } Source;

/* What an input or a parameter is in a step. */
typedef struct Course {
    Source source;
    Numbers numbers; /* FIXED, WAVEFORM's rows, WRITTEN at the start */
    int64_t period, first, last, pace, per, start, stop, hold, offset, low, high;
    bool repeats, counted;
    const char *name;
    size_t name_length;
    struct Course *added;
    Numbers written;   /* count 0 until the host writes */
    int64_t *arriving; /* PORT: [step in the ring, neuron] */
} Course;

typedef struct {
    char *name;
    size_t size, values, learned_count;
    int64_t stream, events_output, bursts_output;
    bool source;
    const Program *program;
    char **state_name, **output_name;
    Course *value;
    int64_t *learned;
    Numbers *initial, spikes;
    int64_t **state, **output, **now; /* [which][neuron]; `now` has the values of the step */
    int64_t counts[3];                /* events, bursts, clipped */
} Population;

typedef struct {
    char *name;
    size_t source, output, target, port, synapses;
    int64_t exponent;
    Numbers pre, post, weights, delays;
    int64_t *sums; /* [delay, target neuron], 0 between steps */
    size_t *first; /* where the synapses of each source begin */
} Projection;

/* Rows of a stream that came with a message. */
typedef struct {
    const char *name;
    size_t name_length;
    int64_t first;
    Numbers rows;
} Stream;

typedef struct {
    char *artifact, *name;
    int64_t seed, clock;
    bool learning;
    size_t programs, populations, projections, ring, streams;
    Program *program;
    Population *population;
    Projection *projection;
    Stream *stream;
    int64_t *work; /* a row of neurons for each operation of the longest program */
} Network;

/* Reads a document of the flat form; NULL, or what is wrong with it. */
const char *network_read(const Value *flat, Arena *arena, Network *network);
void network_reset(Network *network, int64_t seed, int64_t clock, bool learning);
/* One step; NULL, or what is missing for it. */
const char *network_step(Network *network);
/* The numbers of a state, an output or the weights; NULL where there are none. */
const int64_t *network_place(const Network *network, const Value *place, const Value *variable, size_t *count);
Course *network_written(Network *network, const Value *name, size_t *size);

#endif
