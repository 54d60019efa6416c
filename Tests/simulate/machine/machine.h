// What the parts of the machine know of each other.
#ifndef MACHINE_H
#define MACHINE_H

#include "CSimulate.h"

#include <stddef.h>

typedef struct fiber fiber;

extern simulate_manner machine_manner;
/// Whether a fiber is running; else the machine itself runs.
bool machine_is_running(void);
uint64_t machine_random(uint64_t bound);
bool machine_dice(uint32_t of_65536);
/// The running fiber stops; the process dies in the step that it was in the middle of.
void machine_die_here(void);
void disk_begin(void);
void disk_end(void);
void disk_process_died(int process, bool has_power);
void files_begin(void);
void files_process_died(int process);

#endif
