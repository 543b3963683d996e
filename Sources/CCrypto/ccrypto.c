#include "ccrypto.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

int ccrypto_sha256(const void *bytes, size_t length, uint8_t digest[32]) {
    return SHA256(bytes, length, digest) != NULL;
}

int ccrypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length, uint8_t code[32]) {
    unsigned int code_length = 32;
    return HMAC(EVP_sha256(), key, (int)key_length, bytes, length, code, &code_length) != NULL;
}

int ccrypto_equal(const void *left, const void *right, size_t length) {
    return CRYPTO_memcmp(left, right, length) == 0;
}
