/* tests/target/stm32_model.h - a model of the STM32's Ethernet MAC and random number generator.
 * Layer: tests. Source: ST RM0410: "Ethernet (ETH)", "RNG".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TARGET_STM32_MODEL_H
#define TESTS_TARGET_STM32_MODEL_H

#include <stddef.h>
#include <stdint.h>

enum { MODEL_FRAME = 2048, MODEL_SENT = 64, MODEL_MEMORY = 16384 };

extern struct model {
    /* What a test sets. */
    int no_clock; /* the PHY gives none: a reset does not end */
    int is_busy;  /* nothing is sent */
    uint16_t phy[32];
    uint32_t rng_status; /* beside "ready" */
    int rng_not_ready;
    int rng_repeats;
    /* What it finds. */
    unsigned sent, lost;
    struct {
        size_t n;
        uint8_t bytes[MODEL_FRAME];
    } frames[MODEL_SENT];
    int mode_in_reset; /* RMII was chosen before the MAC's clocks were on */
    int irq_enabled;
    unsigned fatal; /* descriptors that are none */
    uint32_t now_ms;
} model;

/* The memory of the rings. */
extern uint8_t model_memory[MODEL_MEMORY];

void model_reset(void);

/* A frame of n bytes, its checksum not counted, comes from the cable. error: with a bad checksum.
 */
void model_frame(const uint8_t *bytes, size_t n, int error);

/* 1: the interrupt's line is up. */
int model_interrupts(void);

uint32_t model_peek(uint32_t address);

#endif
