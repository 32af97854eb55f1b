#include "sha256.h"

#include <stdio.h>
#include <string.h>

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turned(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void digest(uint32_t state[8], const uint8_t block[64]) {
    uint32_t words[64], at[8];
    for (int k = 0; k < 16; k++)
        words[k] = (uint32_t)block[4 * k] << 24 | (uint32_t)block[4 * k + 1] << 16 | (uint32_t)block[4 * k + 2] << 8 |
                   block[4 * k + 3];
    for (int k = 16; k < 64; k++) {
        uint32_t low = turned(words[k - 15], 7) ^ turned(words[k - 15], 18) ^ words[k - 15] >> 3;
        uint32_t high = turned(words[k - 2], 17) ^ turned(words[k - 2], 19) ^ words[k - 2] >> 10;
        words[k] = words[k - 16] + low + words[k - 7] + high;
    }
    memcpy(at, state, sizeof at);
    for (int k = 0; k < 64; k++) {
        uint32_t high = turned(at[4], 6) ^ turned(at[4], 11) ^ turned(at[4], 25);
        uint32_t low = turned(at[0], 2) ^ turned(at[0], 13) ^ turned(at[0], 22);
        uint32_t one = at[7] + high + ((at[4] & at[5]) ^ (~at[4] & at[6])) + ROUND[k] + words[k];
        uint32_t other = low + ((at[0] & at[1]) ^ (at[0] & at[2]) ^ (at[1] & at[2]));
        memmove(at + 1, at, 7 * sizeof *at);
        at[4] += one;
        at[0] = one + other;
    }
    for (int k = 0; k < 8; k++)
        state[k] += at[k];
}

void sha256_begin(Sha256 *hash) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, first, sizeof first);
    hash->length = 0;
}

void sha256_add(Sha256 *hash, const void *data, size_t length) {
    const uint8_t *from = data;
    while (length) {
        size_t place = hash->length % 64, part = length < 64 - place ? length : 64 - place;
        memcpy(hash->block + place, from, part);
        hash->length += part;
        from += part;
        length -= part;
        if (place + part == 64)
            digest(hash->state, hash->block);
    }
}

void sha256_end(Sha256 *hash, char text[65]) {
    uint64_t bits = 8 * hash->length;
    uint8_t size[8];
    sha256_add(hash, "\x80", 1);
    while (hash->length % 64 != 56)
        sha256_add(hash, "", 1);
    for (int k = 0; k < 8; k++)
        size[k] = (uint8_t)(bits >> (56 - 8 * k));
    sha256_add(hash, size, 8);
    for (int k = 0; k < 8; k++)
        snprintf(text + 8 * k, 9, "%08x", (unsigned)hash->state[k]);
}
