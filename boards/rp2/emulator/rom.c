/* boards/rp2/emulator/rom.c - stands in for the RP2040's mask ROM in rp2040js, which has none.
 * Layer: board. Source: RP2040 data sheet 2.8.1 (boot), 2.8.3 (the tables), 2.8.1.3.1 (boot2).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

/* It does what the real one does when the image in flash is whole: checks boot2, copies it to the
 * end of RAM and runs it. Of the ROM's functions it has those by which the Pico SDK reads the
 * flash's number (in the emulator flash can always be read, so they have nothing to do), and the
 * one that waits for a new image, which ends the emulation. */

#define FLASH ((const uint8_t *)0x10000000)
#define BOOT2 ((uint8_t *)0x20041f00)
#define BOOT2_BYTES 252u /* and its checksum */

/* Never called by name: the table below has them. */
void rom_reset(void);
void rom_stop(void);
void rom_nothing(void);
void rom_boot(void);
const void *rom_lookup(const uint16_t *table, uint32_t code);

/* The processor's vectors, then what the SDK finds by fixed addresses: a mark and a version, and
 * the places of the function table, of the data table and of the function that looks into them. */
__asm__(".pushsection .head,\"ax\"\n"
        "\t.word 0x20041f00, rom_reset + 1, rom_stop + 1, rom_stop + 1\n"
        "\t.byte 'M', 'u', 1, 2\n"
        "\t.hword functions, data, rom_lookup + 1\n"
        "functions:\n"
        "\t.byte 'I', 'F'\n\t.hword rom_nothing + 1\n" /* connect the flash's pins */
        "\t.byte 'E', 'X'\n\t.hword rom_nothing + 1\n" /* leave execute in place */
        "\t.byte 'F', 'C'\n\t.hword rom_nothing + 1\n" /* flush the cache */
        "\t.byte 'U', 'B'\n\t.hword rom_boot + 1\n"    /* wait for a UF2 file */
        "data:\n\t.hword 0\n"
        "\t.popsection");

/* Breakpoints: the emulator says what they mean. */
__attribute__((used)) void rom_stop(void)
{
    for (;;) {
        __asm__ volatile("bkpt #1");
    }
}

__attribute__((used)) void rom_nothing(void)
{
}

__attribute__((used)) void rom_boot(void)
{
    for (;;) {
        __asm__ volatile("bkpt #3");
    }
}

__attribute__((used)) const void *rom_lookup(const uint16_t *table, uint32_t code)
{
    for (; table[0] != 0; table += 2) {
        if (table[0] == code) {
            return (const void *)(uintptr_t)table[1];
        }
    }
    return 0;
}

/* CRC-32, polynomial 04c11db7, not reflected. */
static uint32_t checksum(const uint8_t *from)
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < BOOT2_BYTES; i++) {
        crc ^= (uint32_t)from[i] << 24;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc << 1 ^ (crc >> 31 != 0 ? 0x04c11db7u : 0u);
        }
    }
    return crc;
}

__attribute__((used)) void rom_reset(void)
{
    const uint8_t *kept = FLASH + BOOT2_BYTES;
    uint32_t expected = (uint32_t)kept[3] << 24 | (uint32_t)kept[2] << 16 | (uint32_t)kept[1] << 8 |
                        kept[0];
    if (checksum(FLASH) != expected) {
        for (;;) {
            __asm__ volatile("bkpt #2");
        }
    }
    for (uint32_t i = 0; i < BOOT2_BYTES; i++) {
        ((volatile uint8_t *)BOOT2)[i] = FLASH[i];
    }
    /* A return address of 0 tells boot2 to go on into the image. */
    __asm__ volatile("movs r0, #0\n\tmov lr, r0\n\tbx %0" : : "r"((uintptr_t)BOOT2 + 1u) : "r0");
}
