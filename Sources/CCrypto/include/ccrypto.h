// What referrald needs of libcrypto: SHA-256, HMAC-SHA-256, Ed25519 and a comparison in constant time.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// SHA-256 (FIPS 180-4) of `length` bytes into `digest`. Returns 1, or 0 when libcrypto failed.
int ccrypto_sha256(const void *bytes, size_t length, uint8_t digest[32]);

/// HMAC-SHA-256 (RFC 2104) into `code`. Returns 1, or 0 when libcrypto failed.
int ccrypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length, uint8_t code[32]);

/// 1 when both are equal; takes the same time wherever they differ.
int ccrypto_equal(const void *left, const void *right, size_t length);

/// The public half of an Ed25519 key (RFC 8032) from its seed. Returns 1, or 0 when libcrypto failed.
int ccrypto_ed25519_public_key(const uint8_t seed[32], uint8_t public_key[32]);

/// Signs with Ed25519. Returns 1, or 0 when libcrypto failed.
int ccrypto_ed25519_sign(const uint8_t seed[32], const void *bytes, size_t length, uint8_t signature[64]);

/// 1 when the signature holds.
int ccrypto_ed25519_verify(const uint8_t public_key[32], const void *bytes, size_t length, const uint8_t signature[64]);
