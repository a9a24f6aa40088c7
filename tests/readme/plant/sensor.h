/* tests/readme/plant/sensor.h - the hardware of docs/handlers.md's examples, as main.c makes it up.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSOR_H
#define SENSOR_H

#include <stdint.h>

enum { SENSORS = 4, CALIBRATION_MS = 200 };

int32_t sensor_read(uint32_t sensor);
void sensor_calibrate(uint32_t sensor);
int sensor_is_calibrated(int32_t *value); /* 1: it is, and *value is what came out */

void calibrate_poll(void);
void newest_poll(void);

#endif
