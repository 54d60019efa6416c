/* libFuzzer as a library: SwiftPM gives every program a main of its own. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerRunDriver(int *_Nonnull argc, char *_Nullable *_Nonnull *_Nonnull argv,
                        int (*_Nonnull one_input)(const uint8_t *_Nullable data, size_t size));
