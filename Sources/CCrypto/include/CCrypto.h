// OpenSSL's libcrypto, which is below libcurl already, opened with dlopen on first use. Only functions without state of
// their own are used: none of them depends on OpenSSL being initialised, or on its exit handler.
#ifndef CCRYPTO_H
#define CCRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

/// Opens libcrypto, once, from whichever thread comes first; it is never closed again. NULL when it is ready, else why it
/// is not, as a text that lives for ever. Nothing below may be called before it was ready.
const char *_Nullable ccrypto_load(void);
/// Writes the 32 bytes of the SHA-256 digest.
void ccrypto_sha256(const uint8_t *_Nullable bytes, size_t count, uint8_t *digest);
/// Whether two texts of the same length are equal; takes as long whether they are or not.
bool ccrypto_is_equal(const uint8_t *left, const uint8_t *right, size_t count);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
#endif
